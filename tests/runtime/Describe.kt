// The description in the file whose path is read.

import java.io.File
import java.nio.ByteBuffer
import kerascornernet.descriptionOf

fun main() {
    val file = ByteBuffer.wrap(File(readln()).readBytes())
    println(
        try {
            descriptionOf(file)
        } catch (error: IllegalArgumentException) {
            error.message
        },
    )
}
