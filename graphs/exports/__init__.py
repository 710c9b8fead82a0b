"""The graph for other tools: networkx, igraph, GraphML, GEXF with time, DOT, CSV and Parquet."""

from graphs.exports.dot_file import dot
from graphs.exports.gexf_file import gexf
from graphs.exports.graphml_file import graphml, with_tokens
from graphs.exports.objects import GEPHI_EDGES, igraph_graph, networkx_graph
from graphs.exports.table_files import csv, parquet

__all__ = ["GEPHI_EDGES", "csv", "dot", "gexf", "graphml", "igraph_graph", "networkx_graph", "parquet", "with_tokens"]
