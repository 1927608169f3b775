"""The colors of the figures: the palette of Okabe and Ito (2008), made for readers with any kind of color vision."""

ORANGE, SKY, GREEN, YELLOW, BLUE, RED, PINK, BLACK = (
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
    "#000000",
)
NAMES = {
    ORANGE: "orange",
    SKY: "sky blue",
    GREEN: "green",
    YELLOW: "yellow",
    BLUE: "blue",
    RED: "red",
    PINK: "pink",
    BLACK: "black",
    "#FFFFFF": "white",
}
