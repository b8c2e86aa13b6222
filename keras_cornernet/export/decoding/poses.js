// Joints out of the heatmaps that `keras-cornernet export --raw` gives; the same as poses.py, without any package.
//
// `settings` is the object `raw` of the file's description. `map` is "keypoints_heatmap" of one person:
// { data, rows, columns, channels }, numbers row by row, cell by cell. Bytes (int8) become numbers by
// `settings.quantization.keypoints_heatmap = [scale, zero]`: (byte - zero) * scale.

/** For each joint { point: [x, y] in pixels of the network's input, score }. */
export function decodePose(map, settings, height, width) {
  const { data, rows, columns, channels } = map;
  return Array.from({ length: channels }, (_, joint) => {
    const heatmap = Float32Array.from({ length: rows * columns }, (_, cell) => data[cell * channels + joint]);
    let best = 0;
    for (let cell = 1; cell < heatmap.length; cell++) if (heatmap[cell] > heatmap[best]) best = cell;
    const [x, y, score] = [best % columns, Math.floor(best / columns), heatmap[best]];
    const [dx, dy] = score > 0 ? refine(heatmap, rows, columns, x, y, settings) : [0, 0];
    const middle = settings.half_cell ? 0.5 : 0;
    return { point: [((x + dx + middle) * width) / columns, ((y + dy + middle) * height) / rows], score };
  });
}

/** How far a peak lies from the middle of its cell: by DARK, or a quarter towards the higher neighbour. */
function refine(heatmap, rows, columns, x, y, { refinement, blur: side }) {
  if (refinement === "none") return [0, 0];
  let values = heatmap;
  if (refinement === "dark") {
    if (!(x > 1 && x < columns - 2 && y > 1 && y < rows - 2)) return [0, 0];
    const blurred = blur(heatmap, rows, columns, side);
    const scale = heatmap.reduce((a, b) => Math.max(a, b)) / Math.max(blurred.reduce((a, b) => Math.max(a, b)), 1e-12);
    values = blurred.map((value) => Math.log(Math.max(value * scale, 1e-10)));
  }
  const inside = (v, count) => Math.min(Math.max(v, 0), count - 1);
  const at = (v, u) => values[inside(y + v, rows) * columns + inside(x + u, columns)];
  const [dx, dy] = [at(0, 1) - at(0, -1), at(1, 0) - at(-1, 0)];
  if (refinement === "dark") {
    const [xx, yy] = [(at(0, 2) - 2 * at(0, 0) + at(0, -2)) / 4, (at(2, 0) - 2 * at(0, 0) + at(-2, 0)) / 4];
    const xy = (at(1, 1) - at(-1, 1) - at(1, -1) + at(-1, -1)) / 4;
    const determinant = xx * yy - xy * xy;
    if (determinant === 0) return [0, 0];
    return [(xy * dy - yy * dx) / 2 / determinant, (xy * dx - xx * dy) / 2 / determinant];
  }
  if (refinement === "quarter_any") return [dx > 0 ? 0.25 : -0.25, dy > 0 ? 0.25 : -0.25];
  const first = refinement === "quarter" ? 1 : 2;
  const [inX, inY] = [x >= first && x < columns - 1, y >= first && y < rows - 1];
  const both = refinement === "quarter" ? [inX && inY, inX && inY] : [inX && y > 0, inY && x > 0];
  return [both[0] ? 0.25 * Math.sign(dx) : 0, both[1] ? 0.25 * Math.sign(dy) : 0];
}

/** Blurs with a Gaussian of `side` cells, whose width follows from it as in OpenCV, and zeros outside. */
function blur(heatmap, rows, columns, side) {
  const sigma = 0.3 * ((side - 1) * 0.5 - 1) + 0.8;
  const reach = Math.floor(side / 2);
  const weights = Array.from({ length: side }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma ** 2)));
  const sum = weights.reduce((a, b) => a + b);
  const along = (values, dy, dx) => Float64Array.from(values, (_, cell) => {
    const [y, x] = [Math.floor(cell / columns), cell % columns];
    return weights.reduce((total, weight, i) => {
      const [v, u] = [y + dy * (i - reach), x + dx * (i - reach)];
      const outside = v < 0 || u < 0 || v >= rows || u >= columns;
      return outside ? total : total + (weight / sum) * values[v * columns + u];
    }, 0);
  });
  return along(along(heatmap, 1, 0), 0, 1);
}
