package kerascornernet

import kotlin.math.PI
import kotlin.math.abs
import kotlin.math.max

/**
 * Smooths values that change over time: much while they rest, little while they move.
 *
 * The filter of Casiez, Roussel & Vogel 2012, "1 euro filter", algorithm 1, with a bound on the speed; in Python
 * `OneEuroFilter`.
 *
 * @param minCutoff hertz; the lower, the smoother at rest.
 * @param beta by how much motion raises the cutoff: hertz for each unit a second.
 * @param speedCutoff hertz, of the smoothing of the speed.
 * @param maxSpeed units a second; what moves faster is taken to have moved so fast.
 */
class OneEuroFilter(
    private val minCutoff: Double,
    private val beta: Double,
    private val speedCutoff: Double,
    private val maxSpeed: Double = Double.POSITIVE_INFINITY,
) {
    private var then = Double.NaN
    private var smoothed = DoubleArray(0)
    private var speeds = DoubleArray(0)

    /**
     * The smoothed values.
     *
     * @param values as many in each call.
     * @param seconds their time, which must grow.
     * @param scale what counts as one unit, such as the size of a person in pixels.
     */
    fun next(values: DoubleArray, seconds: Double, scale: Double = 1.0): DoubleArray {
        val passed = seconds - then
        then = seconds
        if (!(passed > 0)) {
            smoothed = values.copyOf()
            speeds = DoubleArray(values.size)
            return values.copyOf()
        }
        val size = max(scale, 1e-6)
        val farthest = maxSpeed * size * passed
        val ofSpeed = weight(speedCutoff, passed)
        for (i in values.indices) {
            val step = (values[i] - smoothed[i]).coerceIn(-farthest, farthest)
            speeds[i] += ofSpeed * (step / passed - speeds[i])
            smoothed[i] += weight(minCutoff + beta * abs(speeds[i]) / size, passed) * step
        }
        return smoothed.copyOf()
    }

    /** The weight of new values in a low-pass filter. */
    private fun weight(cutoff: Double, passed: Double): Double {
        val rate = 2 * PI * cutoff * passed
        return rate / (rate + 1)
    }
}
