"""`python -m pipelines` is `chart-diffusion`."""

from pipelines.cli import main

main()
