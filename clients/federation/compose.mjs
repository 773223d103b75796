// Composes the subgraphs whose names and files are the arguments, with both composers. Prints the errors
// of each.
import { readFileSync } from "node:fs"
import * as apollo from "@apollo/composition"
import * as guild from "@theguild/federation-composition"
import { parse } from "graphql"

const subgraphs = process.argv.slice(2).map((argument) => {
  const [name, file] = argument.split("=")
  return { name, url: `http://${name}.example.com`, typeDefs: parse(readFileSync(file, "utf8")) }
})
const errors = ({ composeServices }) => (composeServices(subgraphs).errors ?? []).map(String)
console.log(JSON.stringify({ apollo: errors(apollo), guild: errors(guild) }))
