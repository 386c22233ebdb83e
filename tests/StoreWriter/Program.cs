using System.Threading.Channels;
using Muster.EmbeddedStore;
using Muster.Testing.Stores;

// Started and killed by tests: hosts the embedded store in the folder that it is given, commits as fast as it can until it
// is killed, and prints each commit that was acknowledged. What it printed must be there after the kill.
const int LinesWaitingMax = 10_000;
var limits = args is [_, "frequent-checkpoints"] ? LogLimits.Frequent : LogLimits.Default;
await using var server = EmbeddedStoreServer.Start(args[0], limits, null);
await using var session = StoreSession.Open(server.ConnectionString, server);
var acknowledged = Channel.CreateBounded<string>(LinesWaitingMax);

// Records of earlier rounds are continued: their versions have to go on where they were.
var writers = Enumerable.Range(0, NoteWriter.RecordsTotal)
    .Select(number => Task.Run(() => new NoteWriter(session, number).RunAsync(
        version => acknowledged.Writer.WriteAsync($"{number} {version}"), CancellationToken.None)))
    .ToArray();

using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
await foreach (var line in acknowledged.Reader.ReadAllAsync())
{
    await output.WriteLineAsync(line);
}

await Task.WhenAll(writers);
