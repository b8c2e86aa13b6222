// What models find on a picture: boxes, and joints in a square or on the whole picture.

import { boxesOf, jointsOf, placeSquare, placeWhole } from "../runtime/js/answers.js";
import { squareOfBest } from "../runtime/js/following.js";

const PEOPLE = ["person"]; // the classes of a detector that older files of pose networks are for

/** The objects that a detector finds: `{boxes: [{box, score, name}], milliseconds}`. */
export async function findObjects(detector, picture, width, height) {
  const { description } = detector;
  const placement = placeWhole(width, height, description.image_size);
  const { answers, milliseconds } = await detector.run(picture, placement);
  return { boxes: boxesOf(answers, placement, width, height, description), milliseconds };
}

/** The objects that a detector finds and that a pose network reads: people, unless its file names other classes. */
export async function findPeople(pose, detector, picture, width, height) {
  const { boxes, milliseconds } = await findObjects(detector, picture, width, height);
  return { boxes: boxes.filter(({ name }) => (pose.description.label ?? PEOPLE).includes(name)), milliseconds };
}

/** The joints of the one person who fills a picture: `{points, scores, milliseconds}`. */
export async function readWhole(pose, picture, width, height) {
  return readPlaced(pose, picture, placeWhole(width, height, pose.description.image_size));
}

/** The joints of the person in a square of a picture. */
export async function readSquare(pose, picture, square) {
  return readPlaced(pose, picture, placeSquare(square, pose.description.image_size));
}

/** The joints of everyone whom a detector finds: `{boxes, people: [{points, scores}], milliseconds}`. */
export async function readEveryone(pose, detector, picture, width, height) {
  const found = await findPeople(pose, detector, picture, width, height);
  const people = [];
  for (const box of found.boxes) {
    const square = squareOfBest([box], pose.description.padding);
    if (square) people.push(await readSquare(pose, picture, square));
  }
  const milliseconds = people.reduce((sum, person) => sum + person.milliseconds, found.milliseconds);
  return { boxes: found.boxes, people, milliseconds };
}

async function readPlaced(pose, picture, placement) {
  const { answers, milliseconds } = await pose.run(picture, placement);
  return { ...jointsOf(answers, placement), milliseconds };
}
