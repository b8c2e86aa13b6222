// The frames of `tests/fixtures/following.json`, followed by the runtime in Kotlin. Numbers come as text, since the JVM
// reads no json by itself: those of the settings, then those of each frame, in the order in which they are read here.

import java.util.StringTokenizer
import kerascornernet.Box
import kerascornernet.FollowingSettings
import kerascornernet.PersonFollower
import kerascornernet.Placement
import kerascornernet.Pose
import kerascornernet.Square
import kerascornernet.boxesOf
import kerascornernet.jointsOf
import kerascornernet.placeSquare
import kerascornernet.placeWhole

private val tokens = StringTokenizer(System.`in`.reader().readText())

private fun number() = tokens.nextToken().toDouble()

private fun whole() = tokens.nextToken().toInt()

private fun floats(count: Int) = FloatArray(count) { tokens.nextToken().toFloat() }

private class Frame(joints: Int, boxes: Int) {
    val seconds = number()
    val keypoints = DoubleArray(2 * joints) { number() }
    val scores = floats(joints)
    val boxes = floats(4 * boxes)
    val boxScores = floats(boxes)
    val labels = IntArray(boxes) { whole() }
    val count = whole()
}

private const val SIDE = 128
private val NAMES = listOf("dog", "person")

fun main() {
    val (height, width) = listOf(whole(), whole())
    val (rows, columns) = listOf(whole(), whole())
    val least = listOf(number(), number())
    val given = List(9) { number() }
    val settings = FollowingSettings(
        minScore = given[0],
        minJointScore = given[1],
        padding = given[2],
        jointPadding = given[3],
        shrink = given[4],
        minCutoff = given[5],
        beta = given[6],
        speedCutoff = given[7],
        maxSpeed = given[8],
    )
    val outside = tokens.nextToken().toFloat()
    val (joints, boxes) = listOf(whole(), whole())
    val placement = placeWhole(width, height, rows, columns)
    fun found(frame: Frame): List<Box> = with(frame) {
        boxesOf(this.boxes, boxScores, labels, count, placement, width, height, NAMES, least)
    }
    val follower = PersonFollower<Frame>(
        { frame, square -> read(frame, square, outside) },
        { frame -> found(frame).filter { it.name == "person" } },
        settings,
    )
    repeat(whole()) {
        val frame = Frame(joints, boxes)
        val pose = follower.next(frame, width, height, frame.seconds)
        val square = pose?.square?.let { listOf(it.x, it.y, it.side) }
        val shown = found(frame).map { "[[${it.x1},${it.y1},${it.x2},${it.y2}],${it.score},\"${it.name}\"]" }
        println("[${pose?.points?.asList()},${pose?.scores?.asList()},$square,${follower.detections},$shown]")
    }
}

/** In place of a pose network: joints lie where they are, and score next to nothing outside of the square. */
private fun read(frame: Frame, square: Square, outside: Float): Pose {
    val middle = listOf(square.x, square.y)
    val shown = FloatArray(frame.keypoints.size) {
        ((frame.keypoints[it] - middle[it % 2]) * SIDE / square.side + SIDE / 2).toFloat()
    }
    val scores = FloatArray(frame.scores.size) { joint ->
        val inside = (0..1).all { shown[2 * joint + it] >= 0 && shown[2 * joint + it] < SIDE }
        if (inside) frame.scores[joint] else outside
    }
    val placement: Placement = placeSquare(square, SIDE, SIDE)
    return jointsOf(shown, scores, placement)
}
