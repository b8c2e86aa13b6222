package kerascornernet

import kotlin.math.PI
import kotlin.math.abs
import kotlin.math.max

/**
 * Smooths values that change over time: much while they rest, little while they move.
 *
 * The filter of Casiez, Roussel & Vogel 2012, "1 euro filter", algorithm 1; in Python `OneEuroFilter`.
 *
 * @param minCutoff hertz; the lower, the smoother at rest.
 * @param beta by how much motion raises the cutoff: hertz for each unit a second.
 * @param speedCutoff hertz, of the smoothing of the speed.
 */
class OneEuroFilter(private val minCutoff: Double, private val beta: Double, private val speedCutoff: Double) {
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
        val ofSpeed = weight(speedCutoff, passed)
        for (i in values.indices) {
            val step = values[i] - smoothed[i]
            speeds[i] += ofSpeed * (step / passed - speeds[i])
            smoothed[i] += weight(minCutoff + beta * abs(speeds[i]) / max(scale, 1e-6), passed) * step
        }
        return smoothed.copyOf()
    }

    /** The weight of new values in a low-pass filter. */
    private fun weight(cutoff: Double, passed: Double): Double {
        val rate = 2 * PI * cutoff * passed
        return rate / (rate + 1)
    }
}
