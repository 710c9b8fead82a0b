"""Leaders: scores of markets, their intervals and agreement, scores by period, and what they predict."""
