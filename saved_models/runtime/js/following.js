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
 * shrink: by how much of its side a square may shrink in a second: where a hand is taken for one that is nearer to the
 *   body, the next square must not cut off the true one.
 * minCutoff, beta, speedCutoff, maxSpeed: of the smoothing, see `OneEuroFilter`.
 */
export const SETTINGS = Object.freeze({
  minScore: 0.2,
  minJointScore: 0.2,
  padding: 1.25,
  jointPadding: 1.35,
  shrink: 0.15,
  minCutoff: 2,
  beta: 8,
  speedCutoff: 1,
  maxSpeed: 4,
});

/**
 * @typedef {{x: number, y: number, side: number}} Square centre and side, pixels of the picture
 * @typedef {{points: number[][], scores: number[]}} Pose x, y of each joint, pixels of the picture
 * @typedef {{box: number[], score: number}} Box x1, y1, x2, y2, pixels of the picture
 */

export class PersonFollower {
  #filter = null;
  #before = NaN;

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
    const passed = seconds > this.#before ? seconds - this.#before : 0;
    this.#before = seconds;
    let pose = await this.#readIn(picture, this.square);
    if (pose === null) {
      this.#filter = null;
      pose = await this.#readIn(picture, await this.#detected(picture));
    }
    if (pose === null) {
      this.square = null;
      return null;
    }
    const { minJointScore, shrink, minCutoff, beta, speedCutoff, maxSpeed } = this.settings;
    const least = pose.square.side * (1 - shrink * passed);
    this.square = squareOfJoints(pose, width, height, this.settings, least);
    this.#filter ??= new OneEuroFilter(minCutoff, beta, speedCutoff, maxSpeed);
    const smoothed = this.#filter.next(pose.points.flat(), seconds, longerSide(boxOfJoints(pose, minJointScore)));
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
 * The square for the next frame; null where the person is lost: too few joints are sure, or the square's centre has
 * left the picture.
 *
 * @param {Pose} pose of this frame
 * @param {number} width of the picture
 * @param {number} height of the picture
 * @param {typeof SETTINGS} settings
 * @param {number} least the smallest side
 * @returns {Square | null}
 */
export function squareOfJoints(pose, width, height, settings, least = 0) {
  const box = boxOfJoints(pose, settings.minJointScore);
  const side = settings.jointPadding * longerSide(box);
  if (!(side > 0)) return null;
  const { x, y } = centreOf(box);
  return x >= 0 && x < width && y >= 0 && y < height ? { x, y, side: Math.max(side, least) } : null;
}

/** The box around the joints that score at least so much; of no size if there are none. */
function boxOfJoints({ points, scores }, minScore) {
  const sure = points.filter((_, i) => scores[i] >= minScore);
  if (!sure.length) return [0, 0, 0, 0];
  const [xs, ys] = [0, 1].map((axis) => sure.map((point) => point[axis]));
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

function centreOf([x1, y1, x2, y2]) {
  return { x: (x1 + x2) / 2, y: (y1 + y2) / 2 };
}

function longerSide([x1, y1, x2, y2]) {
  return Math.max(x2 - x1, y2 - y1);
}
