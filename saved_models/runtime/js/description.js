// The description in an exported file: json text under this name in the metadata of a TFLite file.

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

/** The position of a field of a table, or 0 if the table lacks it. */
function field(view, table, number) {
  const layout = table - view.getInt32(table, true);
  const slot = 4 + 2 * number;
  const offset = slot < view.getUint16(layout, true) ? view.getUint16(layout + slot, true) : 0;
  return offset && table + offset;
}

/** Start and length of the vector or string that a field points to. */
function vector(view, position) {
  if (!position) return { start: 0, length: 0 };
  const start = position + view.getUint32(position, true);
  return { start: start + 4, length: view.getUint32(start, true) };
}

/** The tables in a vector of tables. */
function tables(view, position) {
  const { start, length } = vector(view, position);
  return Array.from({ length }, (_, i) => start + 4 * i + view.getUint32(start + 4 * i, true));
}

function text(file, start, length) {
  return new TextDecoder().decode(new Uint8Array(file, start, length));
}
