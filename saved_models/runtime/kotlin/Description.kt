package kerascornernet

import java.nio.ByteBuffer
import java.nio.ByteOrder

private const val NAME = "keras_cornernet"

/**
 * The description in a file that `keras-cornernet export --format tflite` wrote: json text with the names of joints or
 * classes, `image_size`, `padding`, `score` and more; on Android, `JSONObject(text)` reads it.
 *
 * @param file the whole file, which is a FlatBuffer.
 * @throws IllegalArgumentException the file is no export of keras_cornernet.
 */
fun descriptionOf(file: ByteBuffer): String {
    val bytes = file.duplicate().order(ByteOrder.LITTLE_ENDIAN)
    require(bytes.limit() >= 8 && bytes.text(4, 4) == "TFL3") { "not a TFLite file" }
    val model = bytes.getInt(0)
    // Fields of the schema's tables: Model.buffers 4, Model.metadata 6; Metadata.name 0, .buffer 1; Buffer.data 0.
    for (entry in bytes.tables(bytes.field(model, 6))) {
        val (start, length) = bytes.vector(bytes.field(entry, 0))
        if (bytes.text(start, length) != NAME) continue
        val number = bytes.field(entry, 1)
        val buffer = bytes.tables(bytes.field(model, 4))[if (number == 0) 0 else bytes.getInt(number)]
        val (from, size) = bytes.vector(bytes.field(buffer, 0))
        return bytes.text(from, size)
    }
    throw IllegalArgumentException("not an export of keras_cornernet: it says nothing of itself")
}

/** The position of a field of a table, or 0 if the table lacks it. */
private fun ByteBuffer.field(table: Int, number: Int): Int {
    val layout = table - getInt(table)
    val slot = 4 + 2 * number
    val offset = if (slot < getShort(layout).toInt() and 0xffff) getShort(layout + slot).toInt() and 0xffff else 0
    return if (offset == 0) 0 else table + offset
}

/** Start and length of the vector or text that a field points to. */
private fun ByteBuffer.vector(position: Int): Pair<Int, Int> {
    if (position == 0) return Pair(0, 0)
    val start = position + getInt(position)
    return Pair(start + 4, getInt(start))
}

/** The tables in a vector of tables. */
private fun ByteBuffer.tables(position: Int): List<Int> {
    val (start, length) = vector(position)
    return List(length) { start + 4 * it + getInt(start + 4 * it) }
}

private fun ByteBuffer.text(start: Int, length: Int): String =
    String(ByteArray(length) { get(start + it) }, Charsets.UTF_8)
