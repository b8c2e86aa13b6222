// Boxes out of the maps that `keras-cornernet export --raw` gives; the same as boxes.py, with nothing but Kotlin.

package keras_cornernet

import kotlin.math.abs
import kotlin.math.exp
import kotlin.math.max
import kotlin.math.min
import kotlin.math.pow
import kotlin.math.sqrt

/**
 * A map of one image: numbers row by row, cell by cell. Maps of bytes (int8) become numbers by
 * `quantization[name] = [scale, zero]` of the file's description: `(byte - zero) * scale`.
 */
class Grid(val data: FloatArray, val rows: Int, val columns: Int, val channels: Int) {
    fun at(cell: Int): FloatArray = data.copyOfRange(cell * channels, (cell + 1) * channels)
}

/** The object `raw` of the file's description, of a detector. */
class BoxSettings(
    val kind: String, val heads: List<String>, val topK: Int, val peakKernel: Int, val method: String,
    val sigma: Double, val iouThreshold: Double, val mergeExponent: Double?, val maxDetections: Int, val border: Double?,
    val sizePerClass: Boolean = false, val numDetections: Int = 0, val embeddingThreshold: Double = 0.0,
    val embeddingScale: Double? = null, val geometricScore: Boolean = false,
)

/** `box` holds x1, y1, x2, y2 in pixels of the network's input; `corners` the scores of its corners. */
class Box(val box: DoubleArray, var score: Double, val label: Int, val corners: DoubleArray = DoubleArray(2))

class Peak(val label: Int, val score: Double, val point: DoubleArray, val heads: Map<String, FloatArray>)

/** Boxes, best first; `maps` by name, such as "center_heatmap". */
fun decodeBoxes(maps: Map<String, Grid>, settings: BoxSettings, height: Int, width: Int): List<Box> {
    val branches = if (settings.kind == "centers") listOf("center") else listOf("top_left", "bottom_right")
    val grid = maps.getValue(branches[0] + "_heatmap")
    val pixels = doubleArrayOf(width.toDouble() / grid.columns, height.toDouble() / grid.rows)
    val found = branches.map { findPeaks(maps, it, settings) }
    val boxes = if (found.size == 1) fromCenters(found[0], pixels, settings)
    else fromCorners(found[0], found[1], pixels, settings)
    val ends = doubleArrayOf(width.toDouble(), height.toDouble())
    val usable = boxes.filter { one ->
        val beyond = (0..3).maxOf { if (it < 2) -one.box[it] else one.box[it] - ends[it - 2] }
        one.box.all { abs(it) < 1e6 } && one.score >= 0 && beyond < (settings.border ?: Double.POSITIVE_INFINITY)
    }
    return suppress(usable.map { one ->
        Box(DoubleArray(4) { min(max(one.box[it], 0.0), ends[it % 2]) }, one.score, one.label, one.corners)
    }, settings)
}

/** The best local maxima of a heatmap over all classes, each with what the other maps say there. */
private fun findPeaks(maps: Map<String, Grid>, branch: String, settings: BoxSettings): List<Peak> {
    class Entry(val cell: Int, val label: Int, val logit: Float, val best: Float)
    val grid = maps.getValue(branch + "_heatmap")
    val reach = settings.peakKernel / 2
    val entries = ArrayList<Entry>()
    for (cell in 0 until grid.rows * grid.columns) {
        val (y, x) = listOf(cell / grid.columns, cell % grid.columns)
        val logits = grid.at(cell)
        for (label in logits.indices) {
            var highest = Float.NEGATIVE_INFINITY
            for (v in max(y - reach, 0)..min(y + reach, grid.rows - 1))
                for (u in max(x - reach, 0)..min(x + reach, grid.columns - 1))
                    highest = max(highest, grid.data[(v * grid.columns + u) * grid.channels + label])
            if (logits[label] == highest) entries.add(Entry(cell, label, highest, logits.max()))
        }
    }
    val order = compareByDescending<Entry> { it.logit }.thenByDescending { it.best }.thenBy { it.cell }.thenBy { it.label }
    return entries.sortedWith(order).take(settings.topK).map { entry ->
        val heads = settings.heads.associateWith { maps.getValue(branch + "_" + it).at(entry.cell) }
        val (x, y) = heads.getValue("offset").let {
            listOf(entry.cell % grid.columns + it[0].toDouble(), entry.cell / grid.columns + it[1].toDouble())
        }
        Peak(entry.label, 1 / (1 + exp(-entry.logit.toDouble())), doubleArrayOf(x, y), heads)
    }
}

private fun fromCenters(centers: List<Peak>, pixels: DoubleArray, settings: BoxSettings): List<Box> = centers.map {
    val size = it.heads.getValue("size")
    val first = if (settings.sizePerClass) 2 * it.label else 0
    val half = DoubleArray(2) { i -> max(size[first + i].toDouble(), 0.0) / 2 }
    val box = DoubleArray(4) { i -> (it.point[i % 2] + (if (i < 2) -1 else 1) * half[i % 2]) * pixels[i % 2] }
    Box(box, it.score, it.label, doubleArrayOf(it.score, it.score))
}

/** The best pairs of corners of one class whose embeddings are near. */
private fun fromCorners(firsts: List<Peak>, seconds: List<Peak>, pixels: DoubleArray, settings: BoxSettings): List<Box> {
    val pairs = ArrayList<Box>()
    for (a in firsts) for (b in seconds) {
        val (one, other) = listOf(a, b).map { it.heads.getValue("embedding") }
        val distance = one.indices.sumOf { abs(one[it].toDouble() - other[it]) }
        val box = DoubleArray(4) { (if (it < 2) a.point[it] else b.point[it - 2]) * pixels[it % 2] }
        val ordered = box[2] >= box[0] && box[3] >= box[1]
        if (a.label != b.label || distance > settings.embeddingThreshold || !ordered) continue
        var score = if (settings.geometricScore) sqrt(a.score * b.score) else (a.score + b.score) / 2
        settings.embeddingScale?.let { score *= exp(-(distance / it).pow(2)) }
        pairs.add(Box(box, score, a.label, doubleArrayOf(a.score, b.score)))
    }
    return pairs.sortedByDescending { it.score }.take(settings.numDetections)
}

/** Takes the best box again and again, and lowers the scores of those of its class that overlap it. */
private fun suppress(boxes: List<Box>, settings: BoxSettings): List<Box> {
    fun left(overlap: Double) = when (settings.method) {
        "gaussian" -> exp(-overlap * overlap / settings.sigma)
        "linear" -> if (overlap > settings.iouThreshold) 1 - overlap else 1.0
        "hard" -> if (overlap > settings.iouThreshold) 0.0 else 1.0
        else -> 1.0
    }
    var live = boxes
    val kept = ArrayList<Box>()
    while (kept.size < settings.maxDetections && live.isNotEmpty()) {
        val best = live.maxByOrNull { it.score }!!
        val overlaps = live.map { if (it.label == best.label) overlapOf(it.box, best.box) else 0.0 }
        var box = best.box
        settings.mergeExponent?.let { exponent -> // the mean of the box and of those whose scores it lowers
            val shares = live.mapIndexed { i, one ->
                if (one === best) 1.0 else if (overlaps[i] > 0) (1 - left(overlaps[i])).pow(exponent) else 0.0
            }
            val mean = DoubleArray(4) { side ->
                val weights = live.mapIndexed { i, one -> shares[i] * max(one.corners[side / 2], 1e-12) }
                live.indices.sumOf { weights[it] * live[it].box[side] } / weights.sum()
            }
            box = DoubleArray(4) { i -> mean[i % 2].let { if (i < 2) min(it, mean[i + 2]) else max(it, mean[i]) } }
        }
        kept.add(Box(box, best.score, best.label))
        live = live.mapIndexedNotNull { i, one ->
            val lowered = one.score * left(overlaps[i])
            if (one === best || overlaps[i] > 0 && lowered < 0.001) null else Box(one.box, lowered, one.label, one.corners)
        }
    }
    return kept
}

/** Intersection over union; widths and heights count their last pixel, as in the released code. */
private fun overlapOf(a: DoubleArray, b: DoubleArray): Double {
    fun side(p: DoubleArray, q: DoubleArray, i: Int) = max(min(p[i + 2], q[i + 2]) - max(p[i], q[i]) + 1, 0.0)
    val common = side(a, b, 0) * side(a, b, 1)
    return common / max(side(a, a, 0) * side(a, a, 1) + side(b, b, 0) * side(b, b, 1) - common, 1e-9)
}
