// The page: a model, a picture or the camera, and the skeleton drawn on it.

import { openPose } from "./pose.js";

const RUNTIME = new URL("./node_modules/@litertjs/core/wasm/", import.meta.url).href;
const LEFT = "#2f8fff";
const RIGHT = "#ff7a2f";
const MIDDLE = "#43c95f";
const asked = new URLSearchParams(location.search);
const [stage, told] = ["stage", "told"].map((id) => document.getElementById(id));
let pose = null;
let watching = null;

async function useModel(file) {
  stopCamera();
  pose = await openPose(file, RUNTIME);
  const { names, image_size, precision } = pose.description;
  tell(`${names.length} joints, ${image_size.join(" x ")}, ${precision}. Choose a picture, or the camera.`);
}

async function usePicture(blob) {
  if (!pose) throw new Error("choose a model first");
  stopCamera();
  const picture = await createImageBitmap(blob); // rotated by its EXIF orientation
  return show(picture, picture.width, picture.height);
}

/** Draws poses on the pictures of the camera until it is stopped; returns the joints of the first one. */
async function useCamera() {
  if (!pose) throw new Error("choose a model first");
  if (!navigator.mediaDevices) throw new Error("browsers show the camera to pages of https and of localhost only");
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
  const video = Object.assign(document.createElement("video"), { srcObject: stream, playsInline: true });
  await video.play();
  watching = stream;
  const next = () => show(video, video.videoWidth, video.videoHeight);
  const first = await next();
  attempt(async () => {
    for (; watching === stream; await next()) await new Promise(requestAnimationFrame);
  })();
  return first;
}

function stopCamera() {
  watching?.getTracks().forEach((track) => track.stop());
  watching = null;
}

/** Finds the joints on a picture and draws it with the skeleton. */
async function show(picture, width, height) {
  const found = await pose.read(picture, width, height);
  Object.assign(stage, { width, height });
  const context = stage.getContext("2d");
  context.drawImage(picture, 0, 0);
  draw(context, found, Math.max(2, Math.max(width, height) / 150));
  const shown = found.scores.filter((score) => score >= pose.description.score).length;
  tell(`${shown} of ${found.scores.length} joints, ${found.milliseconds.toFixed(1)} ms`);
  return found;
}

function draw(context, { points, scores }, thickness) {
  const { names, limbs, score } = pose.description;
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

function tell(text) {
  told.textContent = text;
}

/** Runs an action, and shows the message of an error. */
function attempt(action) {
  return async (...given) => {
    try {
      return await action(...given);
    } catch (error) {
      tell(error.message);
      return { error: error.message };
    }
  };
}

async function fetched(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status} ${answer.statusText}`);
  return answer;
}

/**
 * Follows the address: ?model=pose.tflite, and picture=person.png or camera=on; report=/address posts the joints.
 */
async function followAddress() {
  if (!asked.has("model")) return tell("Choose a model, a file that keras-cornernet export --format tflite wrote.");
  await useModel(await (await fetched(asked.get("model"))).arrayBuffer());
  if (asked.has("camera")) return useCamera();
  if (!asked.has("picture")) return null;
  return usePicture(await (await fetched(asked.get("picture"))).blob());
}

document.getElementById("model").onchange = attempt(async ({ target }) => useModel(await target.files[0].arrayBuffer()));
document.getElementById("picture").onchange = attempt(({ target }) => usePicture(target.files[0]));
document.getElementById("camera").onclick = attempt(() => (watching ? stopCamera() : useCamera()));
const found = await attempt(followAddress)();
if (asked.has("report")) await fetch(asked.get("report"), { method: "POST", body: JSON.stringify(found) });
