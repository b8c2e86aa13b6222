// The page: a pose network, a detector or both, a picture or the camera, and what they find drawn on it.

import { PersonFollower } from "../runtime/js/following.js";
import { drawBoxes, drawSkeleton } from "./drawing.js";
import { openModel } from "./model.js";
import { findObjects, findPeople, readEveryone, readSquare, readWhole } from "./reading.js";

const RUNTIME = new URL("./node_modules/@litertjs/core/wasm/", import.meta.url).href;
const TASKS = ["pose", "detection"];
const asked = new URLSearchParams(location.search);
const [stage, told] = ["stage", "told"].map((id) => document.getElementById(id));
const models = {}; // by task
let watching = null;

async function useModel(file) {
  stopCamera();
  const model = await openModel(file, RUNTIME);
  const { task, names, image_size, precision } = model.description;
  if (!TASKS.includes(task)) throw new Error(`the page takes pose networks and detectors, not files of ${task}`);
  models[task] = model;
  const what = task === "pose" ? `${names.length} joints` : `a detector of ${names.join(", ")}`;
  tell(`${what}, ${image_size.join(" x ")}, ${precision}. Choose a picture, the camera, or another model beside it.`);
}

async function usePicture(blob) {
  checkModels();
  stopCamera();
  const picture = await createImageBitmap(blob); // rotated by its EXIF orientation
  return show(picture, picture.width, picture.height, findOnPicture);
}

/** Draws what is found on the pictures of the camera until it is stopped; returns that of the first one. */
async function useCamera() {
  checkModels();
  if (!navigator.mediaDevices) throw new Error("browsers show the camera to pages of https and of localhost only");
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
  const video = Object.assign(document.createElement("video"), { srcObject: stream, playsInline: true });
  await video.play();
  watching = stream;
  const find = models.pose && models.detection ? follow() : findOnPicture;
  const next = () => show(video, video.videoWidth, video.videoHeight, find);
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

function checkModels() {
  if (!Object.keys(models).length) throw new Error("choose a model first");
}

/** Everyone whom the detector finds, the one person who fills the picture, or objects: as the models are. */
async function findOnPicture(picture, width, height) {
  const { pose, detection } = models;
  if (pose && detection) return readEveryone(pose, detection, picture, width, height);
  if (detection) return findObjects(detection, picture, width, height);
  const found = await readWhole(pose, picture, width, height);
  return { ...found, people: [found] };
}

/** Finds one person on each picture of the camera in turn; the detector is asked when the person is lost. */
function follow() {
  const { pose, detection } = models;
  let milliseconds;
  const timed = (found) => {
    milliseconds += found.milliseconds;
    return found;
  };
  const follower = new PersonFollower(
    async (picture, square) => timed(await readSquare(pose, picture, square)),
    async (picture) => timed(await findPeople(pose, detection, picture, picture.videoWidth, picture.videoHeight)).boxes,
    { padding: pose.description.padding },
  );
  return async (picture, width, height) => {
    milliseconds = 0;
    const person = await follower.next(picture, width, height, performance.now() / 1000);
    return { people: person ? [person] : [], detections: follower.detections, milliseconds };
  };
}

/** Draws a picture with what is found on it, and tells how much that is. */
async function show(picture, width, height, find) {
  const found = await find(picture, width, height);
  Object.assign(stage, { width, height });
  const context = stage.getContext("2d");
  context.drawImage(picture, 0, 0);
  const { people, boxes } = found;
  if (people) people.forEach((person) => drawSkeleton(context, person, models.pose.description));
  else drawBoxes(context, boxes, models.detection.description);
  const count = people ? `${people.length} people` : `${boxes.length} objects`;
  tell(`${count}, ${found.milliseconds.toFixed(1)} ms`);
  return found;
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
 * Follows the address: ?model=pose.tflite, with a second &model= for a detector beside it, and picture=person.png or
 * camera=on; report=/address posts what is found.
 */
async function followAddress() {
  if (!asked.has("model")) return tell("Choose a model, a file that keras-cornernet export --format tflite wrote.");
  for (const address of asked.getAll("model")) await useModel(await (await fetched(address)).arrayBuffer());
  if (asked.has("camera")) return useCamera();
  if (!asked.has("picture")) return null;
  return usePicture(await (await fetched(asked.get("picture"))).blob());
}

document.getElementById("model").onchange = attempt(async ({ target }) => {
  for (const file of target.files) await useModel(await file.arrayBuffer());
});
document.getElementById("picture").onchange = attempt(({ target }) => usePicture(target.files[0]));
document.getElementById("camera").onclick = attempt(() => (watching ? stopCamera() : useCamera()));
const found = await attempt(followAddress)();
if (asked.has("report")) await fetch(asked.get("report"), { method: "POST", body: JSON.stringify(found) });
