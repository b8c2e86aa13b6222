// A pose network in an exported TFLite file: takes a picture and returns the joints on it.

import { Tensor, loadAndCompile, loadLiteRt } from "@litertjs/core";
import { readDescription } from "./description.js";

let started = null;

/**
 * Opens a file that `keras-cornernet export NAME --format tflite` wrote.
 *
 * @param {ArrayBuffer} file
 * @param {string} runtime  address of the folder `wasm` of @litertjs/core
 * @returns {Promise<Pose>}
 */
export async function openPose(file, runtime) {
  const description = readDescription(file);
  if (description.task !== "pose") throw new Error("this file is a detector; the page takes pose networks");
  started ??= loadLiteRt(runtime);
  await started;
  return new Pose(await loadAndCompile(new Uint8Array(file), { accelerator: "wasm" }), description);
}

class Pose {
  constructor(model, description) {
    this.model = model;
    this.description = description;
    this.bytes = model.getInputDetails()[0].dtype === "uint8";
    [this.height, this.width] = description.image_size;
    this.canvas = new OffscreenCanvas(this.width, this.height);
  }

  /**
   * Finds the joints of the one person on a picture, which is fitted into the network's input on black.
   *
   * @param {CanvasImageSource} picture
   * @param {number} width of the picture
   * @param {number} height of the picture
   * @returns {Promise<{points: number[][], scores: number[], milliseconds: number}>} in pixels of the picture
   */
  async read(picture, width, height) {
    const scale = Math.min(this.width / width, this.height / height);
    const left = (this.width - scale * width) / 2;
    const top = (this.height - scale * height) / 2;
    const context = this.canvas.getContext("2d", { willReadFrequently: true });
    context.fillStyle = "black";
    context.fillRect(0, 0, this.width, this.height);
    context.drawImage(picture, left, top, scale * width, scale * height);
    const { keypoints, scores, milliseconds } = await this.run(this.pixels(context));
    const points = scores.map((_, i) => [(keypoints[2 * i] - left) / scale, (keypoints[2 * i + 1] - top) / scale]);
    return { points, scores, milliseconds };
  }

  /** Red, green and blue of each pixel; the file takes them as bytes or as floats of 0..255. */
  pixels(context) {
    const { data } = context.getImageData(0, 0, this.width, this.height);
    const pixels = new (this.bytes ? Uint8Array : Float32Array)(3 * this.width * this.height);
    for (let from = 0, to = 0; from < data.length; from += 4) {
      for (let channel = 0; channel < 3; channel++) pixels[to++] = data[from + channel];
    }
    return pixels;
  }

  async run(pixels) {
    const images = new Tensor(pixels, [1, this.height, this.width, 3]);
    const begin = performance.now();
    const answers = await this.model.run({ images });
    const keypoints = Array.from(await answers.keypoints.data());
    const scores = Array.from(await answers.scores.data());
    const milliseconds = performance.now() - begin;
    for (const tensor of [images, ...Object.values(answers)]) tensor.delete(); // they are not garbage collected
    return { keypoints, scores, milliseconds };
  }
}
