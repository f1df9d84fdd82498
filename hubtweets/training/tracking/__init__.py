"""Trackers: TensorBoard, Weights & Biases, Trackio."""
