// Prints what graphology reads in GraphML and GEXF files, as JSON: file name -> { type, nodes, edges }.
// Usage: node read.mjs FILE ...   Packages: ./node_modules, or the node_modules of $GRAPHOLOGY_FOLDER.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const require = createRequire(path.join(process.env.GRAPHOLOGY_FOLDER || here, 'package.json'));
const Graph = require('graphology');
const readers = { '.graphml': require('graphology-graphml'), '.gexf': require('graphology-gexf') };

const found = {};
for (const file of process.argv.slice(2)) {
  const text = fs.readFileSync(file, 'utf8');
  // a dynamic GEXF file has two lists of edge attributes, of which graphology knows the last
  const options = { allowUndeclaredAttributes: text.includes('mode="dynamic"') };
  const graph = readers[path.extname(file)].parse(Graph, text, options);
  found[path.basename(file)] = {
    type: graph.type,
    nodes: graph.mapNodes((id, attributes) => ({ id, attributes })),
    edges: graph.mapEdges((id, attributes, source, target) => ({ source, target, attributes }))
  };
}
process.stdout.write(JSON.stringify(found, null, 1) + '\n');
