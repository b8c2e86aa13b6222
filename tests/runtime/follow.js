// The frames of `tests/fixtures/following.json`, followed by the runtime in JavaScript.

import { boxesOf, jointsOf, placeSquare, placeWhole } from "./js/answers.js";
import { PersonFollower } from "./js/following.js";

const number = (value) => value ?? NaN; // json has no word for what is no number

/** What the runtime makes of the frames, in the form of `answers` in the file. */
export async function followed({ size: [height, width], pose_input, detector, settings, outside, frames }) {
  const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  const own = Object.fromEntries(Object.entries(settings).map(([name, value]) => [camel(name), value]));
  const follower = new PersonFollower(
    (frame, square) => read(frame, square, pose_input, outside),
    (frame) => found(frame).filter(({ name }) => name === "person"),
    own,
  );
  const found = (frame) => {
    const { boxes, scores, labels, num_detections } = frame.detector;
    const flat = { boxes: Float32Array.from(boxes.flat(), number), scores: Float32Array.from(scores) };
    const placement = placeWhole(width, height, detector.image_size);
    return boxesOf({ ...flat, labels, num_detections: [num_detections] }, placement, width, height, detector);
  };
  const answers = [];
  for (const frame of frames) {
    const pose = await follower.next(frame, width, height, frame.seconds);
    const square = pose && [pose.square.x, pose.square.y, pose.square.side];
    answers.push({ pose: pose && { ...pose, square }, detections: follower.detections, boxes: found(frame) });
  }
  return answers;
}

/** In place of a pose network: joints lie where they are, and score next to nothing outside of the square. */
function read({ keypoints, scores }, square, inputSize, outside) {
  const [rows, columns] = inputSize;
  const shown = keypoints.map(([x, y]) => [
    ((x - square.x) * columns) / square.side + columns / 2,
    ((y - square.y) * rows) / square.side + rows / 2,
  ]);
  const inside = shown.map(([x, y]) => x >= 0 && y >= 0 && x < columns && y < rows);
  const answers = {
    keypoints: Float32Array.from(shown.flat()),
    scores: Float32Array.from(scores, (score, i) => (inside[i] ? number(score) : outside)),
  };
  return jointsOf(answers, placeSquare(square, inputSize));
}
