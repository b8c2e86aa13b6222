// What an exported file tells of itself: the json text under this name in the metadata of a TFLite file.

const NAME = "keras_cornernet";

/**
 * Reads the description out of a TFLite file, which is a FlatBuffer.
 *
 * @param {ArrayBuffer} file
 * @returns {object} see `keras_cornernet.export.description.Description`
 * @throws {Error} the file is no export of keras_cornernet
 */
export function readDescription(file) {
  const view = new DataView(file);
  if (file.byteLength < 8 || text(file, 4, 4) !== "TFL3") throw new Error("not a TFLite file");
  const model = view.getUint32(0, true);
  // Fields of the schema's tables: Model.buffers 4, Model.metadata 6; Metadata.name 0, .buffer 1; Buffer.data 0.
  for (const entry of tables(view, field(view, model, 6))) {
    const name = vector(view, field(view, entry, 0));
    if (text(file, name.start, name.length) !== NAME) continue;
    const number = field(view, entry, 1);
    const buffer = tables(view, field(view, model, 4))[number ? view.getUint32(number, true) : 0];
    const data = vector(view, field(view, buffer, 0));
    return JSON.parse(text(file, data.start, data.length));
  }
  throw new Error("not an export of keras_cornernet: it says nothing of itself");
}

/** Where a table keeps a field, or 0 if it has none. */
function field(view, table, number) {
  const layout = table - view.getInt32(table, true);
  const slot = 4 + 2 * number;
  const offset = slot < view.getUint16(layout, true) ? view.getUint16(layout + slot, true) : 0;
  return offset && table + offset;
}

/** Where the vector or string that a field points to starts, and how long it is. */
function vector(view, place) {
  if (!place) return { start: 0, length: 0 };
  const start = place + view.getUint32(place, true);
  return { start: start + 4, length: view.getUint32(start, true) };
}

/** The tables in a vector of tables. */
function tables(view, place) {
  const { start, length } = vector(view, place);
  return Array.from({ length }, (_, i) => start + 4 * i + view.getUint32(start + 4 * i, true));
}

function text(file, start, length) {
  return new TextDecoder().decode(new Uint8Array(file, start, length));
}
