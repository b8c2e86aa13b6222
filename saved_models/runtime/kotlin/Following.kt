package kerascornernet

import kotlin.math.max

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
 * @property shrink by how much of its side a square may shrink in a second: where a hand is taken for one that is nearer
 *   to the body, the next square must not cut off the true one.
 * @property minCutoff of the smoothing, like [beta], [speedCutoff] and [maxSpeed], see [OneEuroFilter].
 */
data class FollowingSettings(
    val minScore: Double = 0.2,
    val minJointScore: Double = 0.2,
    val padding: Double = 1.25,
    val jointPadding: Double = 1.35,
    val shrink: Double = 0.15,
    val minCutoff: Double = 2.0,
    val beta: Double = 8.0,
    val speedCutoff: Double = 1.0,
    val maxSpeed: Double = 4.0,
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
    private var before = Double.NaN

    /**
     * The person on the next frame; null if there is nobody.
     *
     * @param width of the picture.
     * @param height of the picture.
     * @param seconds the time of the frame.
     */
    fun next(picture: Picture, width: Int, height: Int, seconds: Double): FollowedPose? {
        val passed = if (seconds > before) seconds - before else 0.0
        before = seconds
        var pose = square?.let { readIn(picture, it) }
        if (pose == null) {
            filter = null
            detections += 1
            pose = squareOfBest(detect(picture), settings.padding)?.let { readIn(picture, it) }
        }
        square = pose?.let {
            val least = it.square.side * (1 - settings.shrink * passed)
            squareOfJoints(it.points, it.scores, width, height, settings, least)
        }
        if (pose == null) return null
        val smoothing = filter ?: newFilter()
        filter = smoothing
        val scale = boxOfJoints(pose.points, pose.scores, settings.minJointScore)?.longerSide ?: 0.0
        return FollowedPose(smoothing.next(pose.points, seconds, scale), pose.scores, pose.square)
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
 * The square for the next frame; null where the person is lost: too few joints are sure, or the square's centre has
 * left the picture. Its side is [least] or more.
 */
fun squareOfJoints(
    points: DoubleArray,
    scores: DoubleArray,
    width: Int,
    height: Int,
    settings: FollowingSettings,
    least: Double = 0.0,
): Square? {
    val box = boxOfJoints(points, scores, settings.minJointScore) ?: return null
    val (x, y) = Pair((box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2)
    val inside = x >= 0 && x < width && y >= 0 && y < height
    return if (inside && box.longerSide > 0) Square(x, y, max(settings.jointPadding * box.longerSide, least)) else null
}

/** The box around the joints that score at least so much; null if there are none. */
private fun boxOfJoints(points: DoubleArray, scores: DoubleArray, minScore: Double): Box? {
    val sure = scores.indices.filter { scores[it] >= minScore }
    if (sure.isEmpty()) return null
    val xs = sure.map { points[2 * it] }
    val ys = sure.map { points[2 * it + 1] }
    return Box(xs.minOf { it }, ys.minOf { it }, xs.maxOf { it }, ys.maxOf { it })
}
