// From what exported files answer to joints and boxes in pixels of the picture.

/**
 * How a picture is placed in the input of a file: a point of the picture times `scale`, plus `left` and `top`.
 *
 * @typedef {{scale: number, left: number, top: number}} Placement
 */

/**
 * The whole picture, as large as fits into the input, in its middle.
 *
 * @param {number} width of the picture
 * @param {number} height of the picture
 * @param {[number, number]} inputSize height and width, `image_size` in the description of a file
 * @returns {Placement}
 */
export function placeWhole(width, height, [rows, columns]) {
  const scale = Math.min(rows / height, columns / width);
  return { scale, left: (columns - scale * width) / 2, top: (rows - scale * height) / 2 };
}

/**
 * A square of the picture, as large as fits into the input, in its middle; what is beyond the picture must be black.
 *
 * @param {{x: number, y: number, side: number}} square centre and side, pixels of the picture
 * @param {[number, number]} inputSize height and width
 * @returns {Placement}
 */
export function placeSquare({ x, y, side }, [rows, columns]) {
  const scale = Math.min(rows, columns) / side;
  return { scale, left: columns / 2 - scale * x, top: rows / 2 - scale * y };
}

/**
 * The joints that a pose network answers, on the picture. A joint that is no number scores 0.
 *
 * @param {{keypoints: ArrayLike<number>, scores: ArrayLike<number>}} answers x, y in turn, pixels of the input
 * @param {Placement} placement of the picture in the input
 * @returns {{points: number[][], scores: number[]}}
 */
export function jointsOf({ keypoints, scores }, { scale, left, top }) {
  const points = Array.from(scores, (_, i) => [
    (keypoints[2 * i] - left) / scale,
    (keypoints[2 * i + 1] - top) / scale,
  ]);
  const sound = points.map((point, i) => [...point, scores[i]].every(Number.isFinite));
  return {
    points: points.map((point, i) => (sound[i] ? point : [0, 0])),
    scores: Array.from(scores, (score, i) => (sound[i] ? score : 0)),
  };
}

/**
 * The boxes that a detector answers, on the picture and cut off at its edges; what is no box is left out.
 *
 * @param {object} answers `boxes` (x1, y1, x2, y2 in turn), `scores`, `labels` and `num_detections`
 * @param {Placement} placement of the picture in the input
 * @param {number} width of the picture
 * @param {number} height of the picture
 * @param {object} description of the file: boxes that score less than it states for their class are left out
 * @returns {{box: number[], score: number, name: string}[]} in the order of the file: best first
 */
export function boxesOf({ boxes, scores, labels, num_detections }, placement, width, height, description) {
  const found = [];
  for (let i = 0; i < Math.min(num_detections[0], scores.length); i++) {
    const box = Array.from({ length: 4 }, (_, side) => boxes[4 * i + side]);
    const name = description.names[labels[i]];
    const isBox = box.every(Number.isFinite) && box[2] >= box[0] && box[3] >= box[1];
    const least = description.scores?.[labels[i]] ?? description.score;
    if (!isBox || name === undefined || !(scores[i] >= least)) continue;
    found.push({ box: onPicture(box, placement, width, height), score: scores[i], name });
  }
  return found;
}

function onPicture([x1, y1, x2, y2], { scale, left, top }, width, height) {
  const x = (value) => Math.min(Math.max((value - left) / scale, 0), width);
  const y = (value) => Math.min(Math.max((value - top) / scale, 0), height);
  return [x(x1), y(y1), x(x2), y(y2)];
}
