"""The numbers of an earlier study of daily charts 2017-2021, and the same quantities of the charts given."""
