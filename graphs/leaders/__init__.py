"""Who leads: scores, their intervals, agreement, change over time, and what they predict."""
