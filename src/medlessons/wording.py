"""What checks and figures say to the reader: constants, or templates with named places, that can be translated."""


def say(template: str, /, **places: object) -> str:
    """Return the sentence ``template`` with its named places filled.

    Parameters
    ----------
    template : str
        A sentence with places in braces, such as ``"{right} of {all} are right."``; formats as in ``str.format``.
    **places
        What stands in each place.

    Returns
    -------
    str

    Raises
    ------
    KeyError
        If a place of the template is not given.
    """
    return template.format(**places)
