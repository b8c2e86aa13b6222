// One person followed from frame to frame: the next square comes from the joints of this frame, and the detector is
// asked at the start and when the person is lost. The same as `keras_cornernet/inference/following.py`.

import { OneEuroFilter } from "./smoothing.js";

/**
 * When a person is lost, and how the next square is made.
 *
 * minScore: a person whose joints score less on average is lost.
 * minJointScore: joints that score less have no part in the next square.
 * padding: side of the square around a detector's box, over the longer side of the box; the description of an exported
 *   pose network states its own.
 * jointPadding: side of the next square over the longer side of the box around the joints.
 * shrink: the box around the joints grows at once, but shrinks by no more than this fraction a second: where a foot is
 *   taken for the other one, the next square must not cut off the true one.
 * minCutoff, beta, speedCutoff, maxSpeed: of the smoothing, see `OneEuroFilter`.
 */
export const SETTINGS = Object.freeze({
  minScore: 0.2,
  minJointScore: 0.2,
  padding: 1.25,
  jointPadding: 1.35,
  shrink: 0.15,
  minCutoff: 2,
  beta: 10,
  speedCutoff: 1,
  maxSpeed: 3,
});

/**
 * @typedef {{x: number, y: number, side: number}} Square centre and side, pixels of the picture
 * @typedef {{points: number[][], scores: number[]}} Pose x, y of each joint, pixels of the picture
 * @typedef {{box: number[], score: number}} Box x1, y1, x2, y2, pixels of the picture
 */

export class PersonFollower {
  #filter = null;
  #before = { seconds: NaN, box: null, points: [] };

  /** Where the next frame is read; null: the detector is asked. */
  square = null;
  /** How often the detector was asked. */
  detections = 0;

  /**
   * @param {(picture: any, square: Square) => Pose | Promise<Pose>} read a pose network: the joints in a square
   * @param {(picture: any) => Box[] | Promise<Box[]>} detect a detector: the people on a picture
   * @param {Partial<typeof SETTINGS>} settings what differs from `SETTINGS`
   */
  constructor(read, detect, settings = {}) {
    const unknown = Object.keys(settings).filter((name) => !(name in SETTINGS));
    if (unknown.length) throw new Error(`unknown settings: ${unknown.join(", ")}`);
    Object.assign(this, { read, detect, settings: { ...SETTINGS, ...settings } });
  }

  /**
   * The person on the next frame; null if there is nobody.
   *
   * @param {any} picture what `read` and `detect` take
   * @param {number} width of the picture
   * @param {number} height of the picture
   * @param {number} seconds the time of the frame
   * @returns {Promise<{points: number[][], scores: number[], square: Square} | null>} points are smoothed
   */
  async next(picture, width, height, seconds) {
    const { settings } = this;
    const before = this.#before;
    const passed = seconds > before.seconds ? seconds - before.seconds : 0;
    let pose = await this.#readIn(picture, this.square);
    if (pose === null) {
      this.#filter = null;
      pose = await this.#readIn(picture, await this.#detected(picture));
    }
    if (pose === null) {
      this.square = null;
      this.#before = { seconds, box: null, points: [] };
      return null;
    }
    let box = boxOfJoints(pose, settings.minJointScore);
    if (this.#filter && before.box && box) {
      const shift = [0, 1].map((axis) => median(pose.points.map((point, i) => point[axis] - before.points[i][axis])));
      box = shrunkAtMost(before.box, shift, box, settings.shrink * passed);
    }
    this.#before = { seconds, box, points: pose.points };
    this.square = squareOfJoints(box, width, height, settings.jointPadding);
    this.#filter ??= new OneEuroFilter(settings.minCutoff, settings.beta, settings.speedCutoff, settings.maxSpeed);
    const smoothed = this.#filter.next(pose.points.flat(), seconds, box ? longerSide(box) : 0);
    return { ...pose, points: pose.points.map((_, i) => smoothed.slice(2 * i, 2 * i + 2)) };
  }

  /** The person in a square; null without a square, or where the joints score too little. */
  async #readIn(picture, square) {
    if (square === null) return null;
    const { points, scores } = await this.read(picture, square);
    const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
    return mean >= this.settings.minScore ? { points, scores, square } : null;
  }

  async #detected(picture) {
    this.detections += 1;
    return squareOfBest(await this.detect(picture), this.settings.padding);
  }
}

/**
 * The square around the box with the highest score, the first of equals; null without a box of any area.
 *
 * @param {Box[]} boxes
 * @param {number} padding side of the square over the longer side of the box
 * @returns {Square | null}
 */
export function squareOfBest(boxes, padding) {
  const real = boxes.filter(({ box: [x1, y1, x2, y2] }) => x2 > x1 && y2 > y1);
  if (!real.length) return null;
  const { box } = real.reduce((best, other) => (other.score > best.score ? other : best));
  return { ...centreOf(box), side: padding * longerSide(box) };
}

/**
 * The square for the next frame; null where the person is lost: too few joints are sure, or the box's centre has left
 * the picture.
 *
 * @param {number[] | null} box around the joints of this frame
 * @param {number} width of the picture
 * @param {number} height of the picture
 * @param {number} padding side of the square over the longer side of the box
 * @returns {Square | null}
 */
export function squareOfJoints(box, width, height, padding) {
  if (!box || !(longerSide(box) > 0)) return null;
  const { x, y } = centreOf(box);
  return x >= 0 && x < width && y >= 0 && y < height ? { x, y, side: padding * longerSide(box) } : null;
}

/** The box around the joints that score at least so much; null if there are none. */
function boxOfJoints({ points, scores }, minScore) {
  const sure = points.filter((_, i) => scores[i] >= minScore);
  if (!sure.length) return null;
  const [xs, ys] = [0, 1].map((axis) => sure.map((point) => point[axis]));
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** A box whose edges lie no further inside than those of the box before, moved and less a fraction, allow. */
function shrunkAtMost(before, [dx, dy], [x1, y1, x2, y2], fraction) {
  const inwards = (fraction * longerSide(before)) / 2;
  return [
    Math.min(x1, before[0] + dx + inwards),
    Math.min(y1, before[1] + dy + inwards),
    Math.max(x2, before[2] + dx - inwards),
    Math.max(y2, before[3] + dy - inwards),
  ];
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

function centreOf([x1, y1, x2, y2]) {
  return { x: (x1 + x2) / 2, y: (y1 + y2) / 2 };
}

function longerSide([x1, y1, x2, y2]) {
  return Math.max(x2 - x1, y2 - y1);
}
