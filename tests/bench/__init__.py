"""Speed, side by side: what `make bench` measures. Ratios within one run travel between machines;
seconds do not."""
