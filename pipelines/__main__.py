"""`python -m pipelines` is `chart-diffusion`."""

from pipelines.commands.entry import main

main()
