"""The colors of the figures: the palette of Okabe and Ito (2008), made for readers with any kind of color vision."""

NAMES = {
    "#E69F00": "orange",
    "#56B4E9": "sky blue",
    "#009E73": "green",
    "#F0E442": "yellow",
    "#0072B2": "blue",
    "#D55E00": "red",
    "#CC79A7": "pink",
    "#000000": "black",
    "#FFFFFF": "white",
}
ORANGE, SKY, GREEN, YELLOW, BLUE, RED, PINK, BLACK, WHITE = NAMES
