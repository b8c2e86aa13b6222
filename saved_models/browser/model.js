// A model in an exported TFLite file, run by LiteRT.js.

import { Tensor, loadAndCompile, loadLiteRt } from "@litertjs/core";
import { readDescription } from "../runtime/js/description.js";

let started = null;

/**
 * Opens a file that `keras-cornernet export NAME --format tflite` wrote.
 *
 * @param {ArrayBuffer} file
 * @param {string} runtime  address of the folder `wasm` of @litertjs/core
 * @returns {Promise<Model>}
 */
export async function openModel(file, runtime) {
  const description = readDescription(file);
  started ??= loadLiteRt(runtime);
  await started;
  return new Model(await loadAndCompile(new Uint8Array(file), { accelerator: "wasm" }), description);
}

class Model {
  constructor(model, description) {
    this.model = model;
    this.description = description;
    this.bytes = model.getInputDetails()[0].dtype === "uint8";
    [this.height, this.width] = description.image_size;
    this.canvas = new OffscreenCanvas(this.width, this.height);
  }

  /**
   * Runs the file on a picture.
   *
   * @param {CanvasImageSource} picture
   * @param {import("../runtime/js/answers.js").Placement} placement  of the picture in the input; the rest is black
   * @returns {Promise<{answers: Object<string, number[]>, milliseconds: number}>} the answers by name
   */
  async run(picture, { scale, left, top }) {
    const context = this.canvas.getContext("2d", { willReadFrequently: true });
    context.resetTransform();
    context.fillStyle = "black";
    context.fillRect(0, 0, this.width, this.height);
    context.setTransform(scale, 0, 0, scale, left, top);
    context.drawImage(picture, 0, 0);
    const images = new Tensor(this.pixels(context), [1, this.height, this.width, 3]);
    const begin = performance.now();
    const tensors = await this.model.run({ images });
    const answers = {};
    for (const [name, tensor] of Object.entries(tensors)) answers[name] = Array.from(await tensor.data());
    const milliseconds = performance.now() - begin;
    for (const tensor of [images, ...Object.values(tensors)]) tensor.delete(); // they are not garbage collected
    return { answers, milliseconds };
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
}
