"""Pictures of annotations, results and training curves, drawn with Pillow from plain arrays.

Images are `(height, width, 3)` uint8 RGB; boxes `xyxy` and points `(x, y)` are in image pixels.
"""

from keras_cornernet.visualization.boxes import draw_boxes
from keras_cornernet.visualization.charts import plot_curves
from keras_cornernet.visualization.comparison import compare
from keras_cornernet.visualization.heatmaps import draw_heatmap
from keras_cornernet.visualization.matrices import draw_matrix
from keras_cornernet.visualization.sheets import grid
from keras_cornernet.visualization.skeletons import draw_skeletons

__all__ = ["compare", "draw_boxes", "draw_heatmap", "draw_matrix", "draw_skeletons", "grid", "plot_curves"]
