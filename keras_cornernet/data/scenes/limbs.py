"""Draws the trunk, arms, legs and skirt of a posed body."""

import itertools
import math
from collections.abc import Sequence

from keras_cornernet.data.scenes.body import Body, Figure
from keras_cornernet.data.scenes.canvas import Canvas
from keras_cornernet.data.scenes.clothes import Clothes
from keras_cornernet.data.scenes.colours import Colour, shade


def draw_arm(canvas: Canvas, figure: Figure, body: Body, clothes: Clothes, side: str) -> None:
    """Draws hand, arm and sleeve of a side, `"left"` or `"right"`."""
    at = figure.at
    shoulder, elbow, wrist = at[f"{side}_shoulder"], at[f"{side}_elbow"], at[f"{side}_wrist"]
    g = body.girth
    upper, fore = _light(figure, "neck", f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist")
    canvas.limb([wrist, at[f"{side}_hand"]], [0.019, 0.017], [shade(clothes.skin, fore)])
    radii = [0.034 * g, 0.026 * g, 0.018 * (0.5 + 0.5 * g)]
    wear = (clothes.sleeve, clothes.shirt, clothes.skin)
    _draw_limb(canvas, [shoulder, elbow, wrist], radii, (upper, fore), *wear)


def draw_leg(canvas: Canvas, figure: Figure, body: Body, clothes: Clothes, side: str) -> None:
    """Draws foot, leg and trouser leg of a side, `"left"` or `"right"`."""
    at = figure.at
    hip, knee, ankle = at[f"{side}_hip"], at[f"{side}_knee"], at[f"{side}_ankle"]
    g = body.girth
    thigh, shank = _light(figure, "pelvis", f"{side}_hip", f"{side}_knee", f"{side}_ankle")
    canvas.limb([at[f"{side}_heel"], at[f"{side}_toe"]], [0.026, 0.019], [shade(clothes.shoes, shank)])
    radii = [0.054 * g, 0.037 * g, 0.023 * (0.5 + 0.5 * g)]
    covered = min(clothes.leg, 0.4) if clothes.skirt else clothes.leg
    wear = (covered, clothes.trousers, clothes.skin)
    _draw_limb(canvas, [hip, knee, ankle], radii, (thigh, shank), *wear)


def _light(figure: Figure, trunk: str, *joints: str) -> list[float]:
    """The brightness of each bone between `joints`: darker behind the trunk than before it.

    Otherwise nothing would show which of two limbs of one colour is nearer, hence which is left and which
    right.
    """
    depths = [figure.depth[joint] - figure.depth[trunk] for joint in joints]
    return [0.8 + 0.2 * math.tanh((a + b) / 0.12) for a, b in itertools.pairwise(depths)]


def _draw_limb(
    canvas: Canvas,
    points: Sequence[complex],
    radii: Sequence[float],
    light: Sequence[float],
    covered: float,
    cloth: Colour,
    skin: Colour,
) -> None:
    """Draws a limb of two bones with `cloth` along the first `covered` bones (0..2)."""
    canvas.limb(points, radii, [shade(skin, factor) for factor in light])
    if covered <= 0:
        return
    whole = min(int(covered), len(points) - 1)
    ends, wide = list(points[: whole + 1]), [1.16 * r for r in radii[: whole + 1]]
    rest = covered - whole
    if rest > 0 and whole + 1 < len(points):
        ends.append(points[whole] + rest * (points[whole + 1] - points[whole]))
        wide.append(1.16 * (radii[whole] + rest * (radii[whole + 1] - radii[whole])))
    canvas.limb(ends, wide, [shade(cloth, factor) for factor in light[: len(ends) - 1]])


def draw_trunk(canvas: Canvas, figure: Figure, body: Body, clothes: Clothes) -> None:
    """Draws shirt and shoulders."""
    at, g = figure.at, body.girth
    pelvis, neck = at["pelvis"], at["neck"]
    spine = neck - pelvis
    # From above or below the projected spine is short; then the person's left gives the normal.
    normal = 1j * spine / abs(spine) if abs(spine) > 0.08 else figure.across / max(abs(figure.across), 1e-3)
    sections = (  # height along the spine, half-width, half-depth
        *((-0.1, 1.12 * body.hip + 0.036 * g, 0.07 * g), (0.12, 1.05 * body.hip + 0.034 * g, 0.07 * g)),
        *((0.38, body.waist + 0.004, 0.062 * g), (0.68, 0.5 * (body.waist + body.shoulder) + 0.01, 0.07 * g)),
        *((0.86, body.shoulder + 0.012, 0.066 * g), (0.97, body.shoulder + 0.004, 0.05 * g)),
        (1.04, 0.05, 0.035),
    )
    left, right = [], []
    for height, width, thick in sections:
        lateral = width * (figure.across.real * normal.real + figure.across.imag * normal.imag)
        forward = thick * (figure.ahead.real * normal.real + figure.ahead.imag * normal.imag)
        half = math.hypot(lateral, forward) * normal
        left.append(pelvis + height * spine + half)
        right.append(pelvis + height * spine - half)
    r = 0.034 * g
    canvas.limb([at["right_shoulder"], at["left_shoulder"]], [r, r], [clothes.shirt])
    canvas.solid(left + right[::-1], clothes.shirt, 0.16)
    if clothes.stripes:
        for i in range(1, 5):
            above = [edge[i] + 0.55 * (edge[i + 1] - edge[i]) for edge in (right, left)]
            canvas.flat([left[i], right[i], *above], clothes.stripes)
    if figure.front > 0.1:
        _draw_front(canvas, figure, body, clothes)


def _draw_front(canvas: Canvas, figure: Figure, body: Body, clothes: Clothes) -> None:
    """Draws the neckline, and the buttons of a shirt with long sleeves; a back has neither."""
    neck, g = figure.at["neck"], body.girth
    down = figure.at["pelvis"] - neck
    collar = neck + 0.05 * g * figure.ahead
    open_to = neck + 0.3 * down + 0.068 * g * figure.ahead
    width = 0.05 * figure.across
    canvas.flat([collar - width - 0.02 * down, collar + width - 0.02 * down, open_to], clothes.skin)
    if clothes.sleeve > 1:
        hem = neck + 0.98 * down + 0.07 * g * figure.ahead
        canvas.capsule(open_to, hem, 0.008, 0.008, shade(clothes.shirt, 0.6))


def draw_seat_of_trousers(canvas: Canvas, figure: Figure, body: Body, clothes: Clothes) -> None:
    """Draws the trousers between the hips."""
    r = 0.058 * body.girth
    hips = [figure.at["right_hip"], figure.at["left_hip"]]
    canvas.limb(hips, [r, r], [clothes.trousers])


def draw_skirt(canvas: Canvas, figure: Figure, body: Body, clothes: Clothes) -> None:
    """Draws a skirt or the lower part of a dress."""
    at, g = figure.at, body.girth
    span = min(clothes.leg, 1.6)
    outline = []
    for side in ("right", "left"):
        hip, knee, ankle = at[f"{side}_hip"], at[f"{side}_knee"], at[f"{side}_ankle"]
        hem = hip + (knee - hip) * span if span <= 1 else knee + (ankle - knee) * (span - 1)
        along = hem - hip
        normal = 1j * along / max(abs(along), 1e-6)
        outline += [hip + normal * 0.06 * g, hip - normal * 0.06 * g, hip - 0.03 * figure.up]
        outline += [hem + normal * (0.05 * g + 0.03), hem - normal * (0.05 * g + 0.03)]
    canvas.solid(_hull(outline), clothes.trousers, 0.14)


def _hull(points: Sequence[complex]) -> list[complex]:
    """The convex hull, by Andrew's monotone chain."""
    ordered = sorted(set(points), key=lambda p: (p.real, p.imag))

    def chain(sweep: Sequence[complex]) -> list[complex]:
        kept: list[complex] = []
        for p in sweep:
            while len(kept) > 1 and ((kept[-1] - kept[-2]).conjugate() * (p - kept[-1])).imag <= 0:
                kept.pop()
            kept.append(p)
        return kept[:-1]

    return chain(ordered) + chain(ordered[::-1])
