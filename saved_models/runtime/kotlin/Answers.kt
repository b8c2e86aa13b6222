package kerascornernet

import kotlin.math.min

/** How a picture is placed in the input of a file: a point of the picture times [scale], plus [left] and [top]. */
data class Placement(val scale: Double, val left: Double, val top: Double) {
    /** From a column of the input to the x of the picture. */
    fun x(column: Number): Double = (column.toDouble() - left) / scale

    /** From a row of the input to the y of the picture. */
    fun y(row: Number): Double = (row.toDouble() - top) / scale
}

/** The whole picture, as large as fits into an input of [rows] times [columns], in its middle. */
fun placeWhole(width: Int, height: Int, rows: Int, columns: Int): Placement {
    val scale = min(rows / height.toDouble(), columns / width.toDouble())
    return Placement(scale, (columns - scale * width) / 2, (rows - scale * height) / 2)
}

/**
 * A square of the picture, as large as fits into an input of [rows] times [columns], in its middle; what is beyond the
 * picture must be black.
 */
fun placeSquare(square: Square, rows: Int, columns: Int): Placement {
    val scale = min(rows, columns) / square.side
    return Placement(scale, columns / 2.0 - scale * square.x, rows / 2.0 - scale * square.y)
}

/**
 * The joints that a pose network answers, on the picture. A joint that is no number scores 0.
 *
 * @param keypoints x, y in turn, pixels of the input.
 * @param scores of the joints.
 * @param placement of the picture in the input.
 */
fun jointsOf(keypoints: FloatArray, scores: FloatArray, placement: Placement): Pose {
    val points = DoubleArray(2 * scores.size)
    val heights = DoubleArray(scores.size)
    for (i in scores.indices) {
        val (column, row) = Pair(keypoints[2 * i], keypoints[2 * i + 1])
        if (!(column.isFinite() && row.isFinite() && scores[i].isFinite())) continue
        points[2 * i] = placement.x(column)
        points[2 * i + 1] = placement.y(row)
        heights[i] = scores[i].toDouble()
    }
    return Pose(points, heights)
}

/**
 * The boxes that a detector answers, on the picture and cut off at its edges; what is no box is left out.
 *
 * @param boxes x1, y1, x2, y2 in turn, pixels of the input.
 * @param scores of the boxes.
 * @param labels of the boxes, from 0.
 * @param count how many there are: `num_detections`.
 * @param placement of the picture in the input.
 * @param width of the picture.
 * @param height of the picture.
 * @param names of the classes, from the description of the file.
 * @param least for each class the score from which its boxes are kept: `scores` in the description, or its `score`.
 */
fun boxesOf(
    boxes: FloatArray,
    scores: FloatArray,
    labels: IntArray,
    count: Int,
    placement: Placement,
    width: Int,
    height: Int,
    names: List<String>,
    least: List<Double>,
): List<Box> {
    val found = mutableListOf<Box>()
    for (i in 0 until min(count, scores.size)) {
        val box = boxes.copyOfRange(4 * i, 4 * i + 4)
        val isBox = box.all { it.isFinite() } && box[2] >= box[0] && box[3] >= box[1]
        if (!isBox || labels[i] !in names.indices || !(scores[i] >= least[labels[i]])) continue
        val (x1, x2) = listOf(box[0], box[2]).map { placement.x(it).coerceIn(0.0, width.toDouble()) }
        val (y1, y2) = listOf(box[1], box[3]).map { placement.y(it).coerceIn(0.0, height.toDouble()) }
        found += Box(x1, y1, x2, y2, scores[i].toDouble(), names[labels[i]])
    }
    return found
}
