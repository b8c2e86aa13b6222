"""What a person looks like: skin, hair and clothes."""

from typing import NamedTuple

import numpy as np

from keras_cornernet.data.scenes.colours import SKINS, Colour, any_colour, varied
from keras_cornernet.data.scenes.dice import chance, pick

HAIRS = ((30, 24, 22), (62, 40, 28), (104, 66, 38), (168, 122, 66), (222, 190, 120), (150, 60, 30))
GREYS = ((200, 200, 204), (130, 130, 134))
DYED = ((190, 60, 120), (60, 110, 190))
JEANS = ((44, 62, 100), (84, 112, 156), (38, 40, 46), (120, 104, 80), (96, 96, 100))


class Clothes(NamedTuple):
    """The colours of a person, and the cut of the clothes."""

    skin: Colour
    hair: Colour
    shirt: Colour
    trousers: Colour
    shoes: Colour
    sleeve: float  # 0 none, 1 to the elbow, 2 to the wrist
    leg: float  # 1 to the knee, 2 to the ankle; of trousers or skirt
    skirt: bool
    stripes: Colour | None
    hairdo: str  # "short", "long", "bun", "bald", "cap"
    cap: Colour


def any_clothes(rng: np.random.Generator) -> Clothes:
    """Chooses clothes, a skin and a hairdo."""
    skin = varied(rng, pick(rng, SKINS), 0.07)
    shirt = any_colour(rng)
    dress = chance(rng, 0.1)
    trousers = varied(rng, pick(rng, JEANS)) if chance(rng, 0.5) else any_colour(rng)
    return Clothes(
        skin=skin,
        hair=varied(rng, pick(rng, pick(rng, (HAIRS, HAIRS, HAIRS, HAIRS, GREYS, DYED)))),
        shirt=shirt,
        trousers=shirt if dress else trousers,
        shoes=any_colour(rng) if chance(rng, 0.6) else (40, 36, 36),
        sleeve=pick(rng, (0.0, 0.55, 0.8, 1.4, 2.0, 2.0)),
        leg=pick(rng, (0.55, 0.8, 1.5, 2.0, 2.0, 2.0)),
        skirt=dress or chance(rng, 0.1),
        stripes=any_colour(rng) if chance(rng, 0.25) else None,
        hairdo=pick(rng, ("short", "short", "short", "long", "long", "bun", "cap", "bald")),
        cap=any_colour(rng),
    )
