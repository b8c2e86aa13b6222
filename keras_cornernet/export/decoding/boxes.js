// Boxes out of the maps that `keras-cornernet export --raw` gives; the same as boxes.py, without any package.
//
// `settings` is the object `raw` of the file's description. `maps` holds for each name, such as "center_heatmap",
// { data, rows, columns, channels } with the numbers of one image row by row, cell by cell. Maps of bytes (int8)
// become numbers by `settings.quantization[name] = [scale, zero]`: (byte - zero) * scale.

/** Boxes [x1, y1, x2, y2] in pixels of the network's input, best first: [{ box, score, label }]. */
export function decodeBoxes(maps, settings, height, width) {
  const branches = settings.kind === "centers" ? ["center"] : ["top_left", "bottom_right"];
  const { rows, columns } = maps[branches[0] + "_heatmap"];
  const pixels = [width / columns, height / rows];
  const found = branches.map((branch) => findPeaks(maps, branch, settings));
  const boxes = found.length === 1 ? fromCenters(...found, pixels, settings) : fromCorners(...found, pixels, settings);
  const border = settings.border ?? Infinity;
  const usable = boxes.filter(({ box: [x1, y1, x2, y2], score }) =>
    [x1, y1, x2, y2].every((v) => Math.abs(v) < 1e6) && score >= 0 && Math.max(-x1, -y1, x2 - width, y2 - height) < border);
  const clip = (v, i) => Math.min(Math.max(v, 0), i % 2 ? height : width);
  return suppress(usable.map((one) => ({ ...one, box: one.box.map(clip) })), settings);
}

/** The best local maxima of a heatmap over all classes, each with what the other maps say there. */
function findPeaks(maps, branch, settings) {
  const { data, rows, columns, channels } = maps[branch + "_heatmap"];
  const reach = Math.floor(settings.peak_kernel / 2);
  const peaks = [];
  for (let cell = 0; cell < rows * columns; cell++) {
    const [y, x] = [Math.floor(cell / columns), cell % columns];
    const best = Math.max(...data.subarray(cell * channels, (cell + 1) * channels));
    for (let label = 0; label < channels; label++) {
      const logit = data[cell * channels + label];
      let highest = -Infinity;
      for (let v = Math.max(y - reach, 0); v <= Math.min(y + reach, rows - 1); v++)
        for (let u = Math.max(x - reach, 0); u <= Math.min(x + reach, columns - 1); u++)
          highest = Math.max(highest, data[(v * columns + u) * channels + label]);
      if (logit === highest) peaks.push({ cell, x, y, label, logit, best });
    }
  }
  peaks.sort((a, b) => b.logit - a.logit || b.best - a.best || a.cell - b.cell || a.label - b.label);
  return peaks.slice(0, settings.top_k).map((peak) => {
    const at = { label: peak.label, score: 1 / (1 + Math.exp(-peak.logit)) };
    for (const head of settings.heads) {
      const { data: values, channels: count } = maps[`${branch}_${head}`];
      at[head] = Array.from(values.subarray(peak.cell * count, (peak.cell + 1) * count));
    }
    return { ...at, point: [peak.x + at.offset[0], peak.y + at.offset[1]] };
  });
}

function fromCenters(centers, pixels, settings) {
  return centers.map(({ point, size, label, score }) => {
    const first = settings.size_per_class ? 2 * label : 0;
    const half = [0, 1].map((i) => Math.max(size[first + i], 0) / 2);
    const box = [0, 1, 2, 3].map((i) => (point[i % 2] + (i < 2 ? -1 : 1) * half[i % 2]) * pixels[i % 2]);
    return { box, score, label, corners: [score, score] };
  });
}

/** The best pairs of corners of one class whose embeddings are near. */
function fromCorners(firsts, seconds, pixels, settings) {
  const pairs = [];
  for (const a of firsts) {
    for (const b of seconds) {
      const distance = a.embedding.reduce((sum, value, i) => sum + Math.abs(value - b.embedding[i]), 0);
      const box = [...a.point, ...b.point].map((v, i) => v * pixels[i % 2]);
      const ordered = box[2] >= box[0] && box[3] >= box[1];
      if (a.label !== b.label || distance > settings.embedding_threshold || !ordered) continue;
      let score = settings.geometric_score ? Math.sqrt(a.score * b.score) : (a.score + b.score) / 2;
      if (settings.embedding_scale != null) score *= Math.exp(-((distance / settings.embedding_scale) ** 2));
      pairs.push({ box, score, label: a.label, corners: [a.score, b.score] });
    }
  }
  return pairs.sort((a, b) => b.score - a.score).slice(0, settings.num_detections);
}

/** Takes the best box again and again, and lowers the scores of those of its class that overlap it. */
function suppress(boxes, settings) {
  const { method, sigma, iou_threshold: limit, merge_exponent: exponent } = settings;
  const left = {
    gaussian: (overlap) => Math.exp(-(overlap ** 2) / sigma),
    linear: (overlap) => (overlap > limit ? 1 - overlap : 1),
    hard: (overlap) => (overlap > limit ? 0 : 1),
    none: () => 1,
  }[method];
  let live = boxes.map((one) => ({ ...one }));
  const kept = [];
  while (kept.length < settings.max_detections && live.length) {
    const best = live.reduce((a, b) => (b.score > a.score ? b : a));
    const overlaps = live.map((one) => (one.label === best.label ? overlapOf(one.box, best.box) : 0));
    let box = best.box;
    if (exponent != null) {  // the mean of the box and of those whose scores it lowers
      const shares = live.map((one, i) => (one === best ? 1 : overlaps[i] > 0 ? (1 - left(overlaps[i])) ** exponent : 0));
      box = [0, 1, 2, 3].map((i) => {
        const weights = live.map((one, k) => shares[k] * Math.max(one.corners[i < 2 ? 0 : 1], 1e-12));
        const sum = weights.reduce((a, b) => a + b);
        return live.reduce((total, one, k) => total + weights[k] * one.box[i], 0) / sum;
      });
      box = [Math.min(box[0], box[2]), Math.min(box[1], box[3]), Math.max(box[0], box[2]), Math.max(box[1], box[3])];
    }
    kept.push({ box, score: best.score, label: best.label });
    live.forEach((one, i) => (one.lowered = one.score * left(overlaps[i])));
    live = live.filter((one, i) => one !== best && (overlaps[i] <= 0 || one.lowered >= 0.001));
    live.forEach((one) => (one.score = one.lowered));
  }
  return kept;
}

/** Intersection over union; widths and heights count their last pixel, as in the released code. */
function overlapOf(a, b) {
  const side = (p, q, i) => Math.max(Math.min(p[i + 2], q[i + 2]) - Math.max(p[i], q[i]) + 1, 0);
  const common = side(a, b, 0) * side(a, b, 1);
  return common / Math.max(side(a, a, 0) * side(a, a, 1) + side(b, b, 0) * side(b, b, 1) - common, 1e-9);
}
