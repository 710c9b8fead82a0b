"""From raw charts to the star: stage 1 ingests every row, stage 2 cleans and accounts for every row."""
