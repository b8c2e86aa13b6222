"""The colours of all pictures, as RGB."""

Colour = tuple[int, int, int]

# Neighbours in the list differ strongly in hue and lightness; a label keeps its colour in every picture.
PALETTE: tuple[Colour, ...] = (
    *((230, 57, 70), (46, 134, 222), (39, 174, 96), (255, 165, 2), (142, 68, 173)),
    *((0, 184, 180), (232, 67, 147), (150, 190, 30), (120, 82, 60), (95, 75, 219)),
    *((255, 214, 10), (0, 120, 110), (255, 127, 100), (120, 200, 255), (160, 20, 60)),
    *((85, 110, 30), (205, 132, 241), (40, 60, 130), (190, 150, 90), (100, 110, 125)),
)
# The sides of a person, and what lies between them.
RIGHT: Colour = (255, 140, 26)
LEFT: Colour = (41, 171, 255)
MIDDLE: Colour = (98, 222, 109)
DARK: Colour = (20, 22, 26)
LIGHT: Colour = (255, 255, 255)
# Black, violet, magenta, orange, pale yellow: dark to light in even steps, readable without colour too.
HEAT: tuple[Colour, ...] = (
    *((0, 0, 4), (66, 10, 104), (147, 38, 103)),
    *((221, 81, 58), (252, 165, 10), (252, 255, 164)),
)


def label_colour(label: int) -> Colour:
    """The colour of a label or a curve; `PALETTE` repeats."""
    return PALETTE[label % len(PALETTE)]


def darkened(colour: Colour) -> Colour:
    """The colour of the rim around a line."""
    red, green, blue = (round(0.4 * c + 0.6 * dark) for c, dark in zip(colour, DARK, strict=True))
    return red, green, blue


def ink_on(colour: Colour) -> Colour:
    """`DARK` or `LIGHT`, whichever is legible on a colour."""
    luminance = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
    return DARK if luminance > 140 else LIGHT
