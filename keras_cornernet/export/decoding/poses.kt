// Joints out of the heatmaps that `keras-cornernet export --raw` gives; the same as poses.py. Needs `Grid` of boxes.kt.

package keras_cornernet

import kotlin.math.exp
import kotlin.math.ln
import kotlin.math.max
import kotlin.math.sign

/** The object `raw` of the file's description, of a pose network. */
class PoseSettings(val halfCell: Boolean, val refinement: String, val blur: Int)

/** x, y in pixels of the network's input. */
class Joint(val x: Double, val y: Double, val score: Double)

/** The joints of one person; `map` is "keypoints_heatmap". */
fun decodePose(map: Grid, settings: PoseSettings, height: Int, width: Int): List<Joint> = (0 until map.channels).map { joint ->
    val heatmap = DoubleArray(map.rows * map.columns) { map.data[it * map.channels + joint].toDouble() }
    val best = heatmap.indices.maxByOrNull { heatmap[it] }!!
    val (x, y) = listOf(best % map.columns, best / map.columns)
    val moved = if (heatmap[best] > 0) refine(heatmap, map.rows, map.columns, x, y, settings) else Pair(0.0, 0.0)
    val middle = if (settings.halfCell) 0.5 else 0.0
    Joint((x + moved.first + middle) * width / map.columns, (y + moved.second + middle) * height / map.rows, heatmap[best])
}

/** How far a peak lies from the middle of its cell: by DARK, or a quarter towards the higher neighbour. */
private fun refine(
    heatmap: DoubleArray, rows: Int, columns: Int, x: Int, y: Int, settings: PoseSettings,
): Pair<Double, Double> {
    val nowhere = Pair(0.0, 0.0)
    var values = heatmap
    if (settings.refinement == "none") return nowhere
    if (settings.refinement == "dark") {
        if (x <= 1 || x >= columns - 2 || y <= 1 || y >= rows - 2) return nowhere
        val blurred = blur(heatmap, rows, columns, settings.blur)
        val scale = heatmap.max() / max(blurred.max(), 1e-12)
        values = DoubleArray(blurred.size) { ln(max(blurred[it] * scale, 1e-10)) }
    }
    fun at(v: Int, u: Int) = values[(y + v).coerceIn(0, rows - 1) * columns + (x + u).coerceIn(0, columns - 1)]
    val (dx, dy) = listOf(at(0, 1) - at(0, -1), at(1, 0) - at(-1, 0))
    if (settings.refinement == "dark") {
        val xx = (at(0, 2) - 2 * at(0, 0) + at(0, -2)) / 4
        val yy = (at(2, 0) - 2 * at(0, 0) + at(-2, 0)) / 4
        val xy = (at(1, 1) - at(-1, 1) - at(1, -1) + at(-1, -1)) / 4
        val determinant = xx * yy - xy * xy
        if (determinant == 0.0) return nowhere
        return Pair((xy * dy - yy * dx) / 2 / determinant, (xy * dx - xx * dy) / 2 / determinant)
    }
    if (settings.refinement == "quarter_any") return Pair(if (dx > 0) 0.25 else -0.25, if (dy > 0) 0.25 else -0.25)
    val first = if (settings.refinement == "quarter") 1 else 2
    val inX = x >= first && x < columns - 1 && (first == 2 || y >= 1 && y < rows - 1) && y > 0
    val inY = y >= first && y < rows - 1 && (first == 2 || x >= 1 && x < columns - 1) && x > 0
    return Pair(if (inX) 0.25 * sign(dx) else 0.0, if (inY) 0.25 * sign(dy) else 0.0)
}

/** Blurs with a Gaussian of `side` cells, whose width follows from it as in OpenCV, and zeros outside. */
private fun blur(heatmap: DoubleArray, rows: Int, columns: Int, side: Int): DoubleArray {
    val sigma = 0.3 * ((side - 1) * 0.5 - 1) + 0.8
    val reach = side / 2
    val weights = DoubleArray(side) { exp(-((it - reach) * (it - reach)) / (2 * sigma * sigma)) }
    fun along(values: DoubleArray, dy: Int, dx: Int) = DoubleArray(values.size) { cell ->
        weights.indices.sumOf { i ->
            val (v, u) = listOf(cell / columns + dy * (i - reach), cell % columns + dx * (i - reach))
            if (v in 0 until rows && u in 0 until columns) weights[i] / weights.sum() * values[v * columns + u] else 0.0
        }
    }
    return along(along(heatmap, 1, 0), 0, 1)
}
