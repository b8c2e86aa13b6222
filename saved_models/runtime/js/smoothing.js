// Values that change over time, smoothed: much while they rest, little while they move.

/** The filter of Casiez, Roussel & Vogel 2012, "1 euro filter", algorithm 1; in Python `OneEuroFilter`. */
export class OneEuroFilter {
  #before = null;

  /**
   * @param {number} minCutoff hertz; the lower, the smoother at rest
   * @param {number} beta by how much motion raises the cutoff: hertz for each unit a second
   * @param {number} speedCutoff hertz, of the smoothing of the speed
   */
  constructor(minCutoff, beta, speedCutoff) {
    Object.assign(this, { minCutoff, beta, speedCutoff });
  }

  /**
   * @param {number[]} values as many in each call
   * @param {number} seconds their time, which must grow
   * @param {number} scale what counts as one unit, such as the size of a person in pixels
   * @returns {number[]} the smoothed values
   */
  next(values, seconds, scale = 1) {
    const before = this.#before;
    if (before === null || seconds <= before.seconds) {
      this.#before = { seconds, smoothed: [...values], speeds: values.map(() => 0) };
      return [...values];
    }
    const passed = seconds - before.seconds;
    const ofSpeed = weight(this.speedCutoff, passed);
    const speeds = values.map(
      (value, i) => before.speeds[i] + ofSpeed * ((value - before.smoothed[i]) / passed - before.speeds[i]),
    );
    const smoothed = values.map((value, i) => {
      const cutoff = this.minCutoff + (this.beta * Math.abs(speeds[i])) / Math.max(scale, 1e-6);
      return before.smoothed[i] + weight(cutoff, passed) * (value - before.smoothed[i]);
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
