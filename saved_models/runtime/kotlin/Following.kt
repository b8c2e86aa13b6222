package kerascornernet

import kotlin.math.max
import kotlin.math.min

/** Where a person is read: the centre and the side of a square, pixels of the picture. */
data class Square(val x: Double, val y: Double, val side: Double)

/** A box `x1, y1, x2, y2`, pixels of the picture, with its score and the name of its class. */
data class Box(
    val x1: Double,
    val y1: Double,
    val x2: Double,
    val y2: Double,
    val score: Double = 1.0,
    val name: String = "person",
) {
    val longerSide: Double get() = max(x2 - x1, y2 - y1)
}

/**
 * The joints of a person.
 *
 * @property points x, y of each joint in turn, pixels of the picture.
 * @property scores of the joints.
 */
class Pose(val points: DoubleArray, val scores: DoubleArray)

/**
 * When a person is lost, and how the next square is made.
 *
 * @property minScore a person whose joints score less on average is lost.
 * @property minJointScore joints that score less have no part in the next square.
 * @property padding side of the square around a detector's box, over the longer side of the box; the description of an
 *   exported pose network states its own.
 * @property jointPadding side of the next square over the longer side of the box around the joints.
 * @property shrink the box around the joints grows at once, but shrinks by no more than this fraction a second: where a
 *   foot is taken for the other one, the next square must not cut off the true one.
 * @property minCutoff of the smoothing, like [beta], [speedCutoff] and [maxSpeed], see [OneEuroFilter].
 */
data class FollowingSettings(
    val minScore: Double = 0.2,
    val minJointScore: Double = 0.2,
    val padding: Double = 1.25,
    val jointPadding: Double = 1.35,
    val shrink: Double = 0.15,
    val minCutoff: Double = 2.0,
    val beta: Double = 10.0,
    val speedCutoff: Double = 1.0,
    val maxSpeed: Double = 3.0,
)

/** The person on one frame, with smoothed joints, and the [square] in which the person was read. */
class FollowedPose(val points: DoubleArray, val scores: DoubleArray, val square: Square)

/**
 * Follows one person from frame to frame: the next square comes from the joints of this frame, and the detector is
 * asked at the start and when the person is lost. The same as `keras_cornernet/inference/following.py`.
 *
 * @param Picture what [read] and [detect] take, such as a `Bitmap`.
 * @param read a pose network: the joints in a square of a picture.
 * @param detect a detector: the people on a picture.
 */
class PersonFollower<Picture>(
    private val read: (Picture, Square) -> Pose,
    private val detect: (Picture) -> List<Box>,
    private val settings: FollowingSettings = FollowingSettings(),
) {
    /** Where the next frame is read; null: the detector is asked. */
    var square: Square? = null
        private set

    /** How often the detector was asked. */
    var detections = 0
        private set

    private var filter: OneEuroFilter? = null
    private var then = Double.NaN
    private var boxBefore: Box? = null
    private var pointsBefore = DoubleArray(0)

    /**
     * The person on the next frame; null if there is nobody.
     *
     * @param width of the picture.
     * @param height of the picture.
     * @param seconds the time of the frame.
     */
    fun next(picture: Picture, width: Int, height: Int, seconds: Double): FollowedPose? {
        val passed = if (seconds > then) seconds - then else 0.0
        then = seconds
        var pose = square?.let { readIn(picture, it) }
        if (pose == null) {
            filter = null
            detections += 1
            pose = squareOfBest(detect(picture), settings.padding)?.let { readIn(picture, it) }
        }
        if (pose == null) {
            square = null
            return null
        }
        val box = boxOf(pose, passed)
        square = squareOfJoints(box, width, height, settings.jointPadding)
        val smoothing = filter ?: newFilter()
        filter = smoothing
        return FollowedPose(smoothing.next(pose.points, seconds, box?.longerSide ?: 0.0), pose.scores, pose.square)
    }

    /** The box around the joints, which shrinks slowly while the person is followed. */
    private fun boxOf(pose: FollowedPose, passed: Double): Box? {
        var box = boxOfJoints(pose.points, pose.scores, settings.minJointScore)
        val before = boxBefore
        if (filter != null && before != null && box != null) {
            val steps = DoubleArray(pose.points.size) { pose.points[it] - pointsBefore[it] }
            val (dx, dy) = listOf(0, 1).map { axis -> median(steps.filterIndexed { i, _ -> i % 2 == axis }) }
            box = shrunkAtMost(before, dx, dy, box, settings.shrink * passed)
        }
        boxBefore = box
        pointsBefore = pose.points
        return box
    }

    private fun newFilter() =
        with(settings) { OneEuroFilter(minCutoff, beta, speedCutoff, maxSpeed) }

    /** The person in a square, or null where the joints score too little. */
    private fun readIn(picture: Picture, square: Square): FollowedPose? {
        val pose = read(picture, square)
        return if (pose.scores.average() >= settings.minScore) FollowedPose(pose.points, pose.scores, square) else null
    }
}

/** The square around the box with the highest score, the first of equals; null without a box of any area. */
fun squareOfBest(boxes: List<Box>, padding: Double): Square? {
    var best: Box? = null
    for (box in boxes) {
        if (box.x2 > box.x1 && box.y2 > box.y1 && (best == null || box.score > best.score)) best = box
    }
    return best?.let { Square((it.x1 + it.x2) / 2, (it.y1 + it.y2) / 2, padding * it.longerSide) }
}

/**
 * The square for the next frame; null where the person is lost: too few joints are sure, or the box's centre has left
 * the picture.
 *
 * @param box around the joints of this frame.
 * @param width of the picture.
 * @param height of the picture.
 * @param padding side of the square over the longer side of the box.
 */
fun squareOfJoints(box: Box?, width: Int, height: Int, padding: Double): Square? {
    if (box == null || !(box.longerSide > 0)) return null
    val (x, y) = Pair((box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2)
    val inside = x >= 0 && x < width && y >= 0 && y < height
    return if (inside) Square(x, y, padding * box.longerSide) else null
}

/** The box around the joints that score at least so much; null if there are none. */
private fun boxOfJoints(points: DoubleArray, scores: DoubleArray, minScore: Double): Box? {
    val sure = scores.indices.filter { scores[it] >= minScore }
    if (sure.isEmpty()) return null
    val xs = sure.map { points[2 * it] }
    val ys = sure.map { points[2 * it + 1] }
    return Box(xs.minOf { it }, ys.minOf { it }, xs.maxOf { it }, ys.maxOf { it })
}

/** A box whose edges lie no further inside than those of the box before, moved and less a fraction, allow. */
private fun shrunkAtMost(before: Box, dx: Double, dy: Double, box: Box, fraction: Double): Box {
    val inwards = fraction * before.longerSide / 2
    return Box(
        min(box.x1, before.x1 + dx + inwards),
        min(box.y1, before.y1 + dy + inwards),
        max(box.x2, before.x2 + dx - inwards),
        max(box.y2, before.y2 + dy - inwards),
    )
}

private fun median(values: List<Double>): Double {
    val sorted = values.sorted()
    val half = sorted.size / 2
    return if (sorted.size % 2 == 1) sorted[half] else (sorted[half - 1] + sorted[half]) / 2
}
