"""Soft-NMS one box at a time, as it is meant and as the authors released its merging."""

import numpy as np


def overlap_of(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0]) + 1
    height = min(a[3], b[3]) - max(a[1], b[1]) + 1
    if width <= 0 or height <= 0:
        return 0.0
    areas = sum((box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (a, b))
    return width * height / (areas - width * height)


def kept_fraction(overlap, method, sigma=0.5, Nt=0.5):
    if method == 2:
        return np.exp(-(overlap**2) / sigma)
    return 1.0 if overlap <= Nt else (1 - overlap if method == 1 else 0.0)


def naive(rows, setting, exponent=None):
    """The rule as it is meant: rows x1, y1, x2, y2, score of one class as they are picked; their places."""
    rows, places = np.array(rows, np.float64), list(range(len(rows)))
    setting = {**setting}
    threshold = setting.pop("threshold", 0.001)
    out, picked = [], []
    while places:
        best = max(places, key=lambda i: rows[i, 4])
        places.remove(best)
        picked.append(best)
        weights = {best: 1.0}
        for i in list(places):
            overlap = overlap_of(rows[best], rows[i])
            if overlap > 0:
                share = kept_fraction(overlap, **setting)
                weights[i] = (1 - share) ** (exponent or 1)
                rows[i, 4] *= share
                if rows[i, 4] < threshold:
                    places.remove(i)
        box = rows[best, :4].copy()
        if exponent:
            for corner, column in ((slice(0, 2), 5), (slice(2, 4), 6)):
                share = {i: w * rows[i, column] for i, w in weights.items()}
                box[corner] = sum(s * rows[i, corner] for i, s in share.items()) / sum(share.values())
        out.append([*box, rows[best, 4]])
    return np.array(out).reshape(-1, 5), picked


def authors_merge(rows, setting, exponent):
    """`soft_nms_merge` as released: columns 5 and 6 stay in place when boxes are swapped or overwritten."""
    rows = np.array(rows, np.float64)
    setting = {**setting}
    threshold = setting.pop("threshold", 0.001)
    live, i = len(rows), 0
    while i < live:
        best = i + int(np.argmax(rows[i:live, 4]))
        rows[[i, best], :5] = rows[[best, i], :5]
        sums = [rows[i, :2] * rows[i, 5], rows[i, 5], rows[i, 2:4] * rows[i, 6], rows[i, 6]]
        place = i + 1
        while place < live:
            overlap = overlap_of(rows[i], rows[place])
            if overlap > 0:
                share = kept_fraction(overlap, **setting)
                weight = (1 - share) ** exponent
                for first, column, corner in ((0, 5, slice(0, 2)), (2, 6, slice(2, 4))):
                    sums[first] = sums[first] + rows[place, corner] * rows[place, column] * weight
                    sums[first + 1] += rows[place, column] * weight
                rows[place, 4] *= share
                if rows[place, 4] < threshold:
                    rows[place, :5] = rows[live - 1, :5]
                    live -= 1
                    place -= 1
            place += 1
        rows[i, :4] = [*(sums[0] / sums[1]), *(sums[2] / sums[3])]
        i += 1
    return rows[:live, :5]
