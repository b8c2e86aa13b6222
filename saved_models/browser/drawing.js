// Skeletons and boxes, drawn on a canvas.

const LEFT = "#2f8fff";
const RIGHT = "#ff7a2f";
const MIDDLE = "#43c95f";
const COLOURS = [MIDDLE, LEFT, RIGHT, "#d14fd1", "#e0c020", "#30c0c0"];

/** How thick lines are on a picture. */
export function thicknessOn({ width, height }) {
  return Math.max(2, Math.max(width, height) / 150);
}

/** Draws the limbs and joints of a person that are sure enough. */
export function drawSkeleton(context, { points, scores }, { names, limbs, score }) {
  const thickness = thicknessOn(context.canvas);
  const color = (i) => (names[i].startsWith("left") ? LEFT : names[i].startsWith("right") ? RIGHT : MIDDLE);
  Object.assign(context, { lineWidth: thickness, lineCap: "round" });
  for (const [a, b] of limbs) {
    if (Math.min(scores[a], scores[b]) < score) continue;
    context.strokeStyle = color(a) === color(b) ? color(a) : MIDDLE;
    context.beginPath();
    context.moveTo(...points[a]);
    context.lineTo(...points[b]);
    context.stroke();
  }
  points.forEach(([x, y], i) => {
    if (scores[i] < score) return;
    context.fillStyle = color(i);
    context.beginPath();
    context.arc(x, y, 1.3 * thickness, 0, 2 * Math.PI);
    context.fill();
  });
}

/** Draws boxes with the names of their classes, a colour for each class. */
export function drawBoxes(context, boxes, { names }) {
  const thickness = thicknessOn(context.canvas);
  Object.assign(context, { lineWidth: thickness, font: `${5 * thickness}px system-ui, sans-serif` });
  for (const { box, score, name } of boxes) {
    const [x1, y1, x2, y2] = box;
    context.strokeStyle = context.fillStyle = COLOURS[names.indexOf(name) % COLOURS.length];
    context.strokeRect(x1, y1, x2 - x1, y2 - y1);
    context.fillText(`${name} ${score.toFixed(2)}`, x1, Math.max(y1 - thickness, 5 * thickness));
  }
}
