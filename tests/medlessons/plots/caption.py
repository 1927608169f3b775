"""Read the sentence that a figure says about itself."""


def sentence(drawn):
    return getattr(drawn, "figure", drawn)._medlessons_caption
