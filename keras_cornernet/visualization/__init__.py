"""Pictures of annotations, results and training curves."""

from keras_cornernet.visualization.charts import plot_curves
from keras_cornernet.visualization.drawing import draw_boxes, draw_heatmap, draw_skeletons, grid

__all__ = ["draw_boxes", "draw_heatmap", "draw_skeletons", "grid", "plot_curves"]
