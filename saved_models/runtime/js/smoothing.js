// Values that change over time, smoothed: much while they rest, little while they move.

/**
 * The filter of Casiez, Roussel & Vogel 2012, "1 euro filter", algorithm 1, with a bound on the speed; in Python
 * `OneEuroFilter`.
 */
export class OneEuroFilter {
  #before = null;

  /**
   * @param {number} minCutoff hertz; the lower, the smoother at rest
   * @param {number} beta by how much motion raises the cutoff: hertz for each unit a second
   * @param {number} speedCutoff hertz, of the smoothing of the speed
   * @param {number} maxSpeed units a second; what moves faster is taken to have moved so fast
   */
  constructor(minCutoff, beta, speedCutoff, maxSpeed = Infinity) {
    Object.assign(this, { minCutoff, beta, speedCutoff, maxSpeed });
  }

  /**
   * @param {number[]} values as many in each call
   * @param {number} seconds their time, which must grow
   * @param {number} scale what counts as one unit, such as the size of a person in pixels
   * @returns {number[]} the smoothed values
   */
  next(values, seconds, scale = 1) {
    scale = Math.max(scale, 1e-6);
    const before = this.#before;
    if (before === null || seconds <= before.seconds) {
      this.#before = { seconds, smoothed: [...values], speeds: values.map(() => 0) };
      return [...values];
    }
    const passed = seconds - before.seconds;
    const farthest = this.maxSpeed * scale * passed;
    const steps = values.map((value, i) => Math.min(Math.max(value - before.smoothed[i], -farthest), farthest));
    const ofSpeed = weight(this.speedCutoff, passed);
    const speeds = steps.map((step, i) => before.speeds[i] + ofSpeed * (step / passed - before.speeds[i]));
    const smoothed = steps.map((step, i) => {
      const cutoff = this.minCutoff + (this.beta * Math.abs(speeds[i])) / scale;
      return before.smoothed[i] + weight(cutoff, passed) * step;
    });
    this.#before = { seconds, smoothed, speeds };
    return [...smoothed];
  }
}

/** The weight of new values in a low-pass filter. */
function weight(cutoff, passed) {
  const rate = 2 * Math.PI * cutoff * passed;
  return rate / (rate + 1);
}
