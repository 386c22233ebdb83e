using System.Diagnostics.Tracing;
using System.Globalization;
using Microsoft.Diagnostics.NETCore.Client;

namespace Muster.Load.Servers;

/// <summary>What a process of the runtime holds.</summary>
internal static class ProcessMemory
{
    /// <summary>Of the runtime's own events: whoever listens to this one has the heap collected first.</summary>
    private const long CollectKeyword = 0x800000;

    private const int BufferMegabytes = 16;

    /// <summary>The collection is over well before; pages that it freed go back to the system within seconds.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(5);

    /// <summary>Resident bytes, after a full collection that the process is asked for by its diagnostic port.</summary>
    public static async Task<long> CollectAndReadAsync(int process, TimeProvider clock)
    {
        for (var i = 0; i < 2; i++)
        {
            await CollectAsync(process, clock);
        }

        return Resident(process);
    }

    private static async Task CollectAsync(int process, TimeProvider clock)
    {
        var provider = new EventPipeProvider("Microsoft-Windows-DotNETRuntime", EventLevel.Informational, CollectKeyword);
        using var session = await new DiagnosticsClient(process).StartEventPipeSessionAsync(
            provider, requestRundown: false, BufferMegabytes, CancellationToken.None);
        var reading = session.EventStream.CopyToAsync(Stream.Null);
        await Task.Delay(Settling, clock);
        await session.StopAsync(CancellationToken.None);
        await reading;
    }

    private static long Resident(int process)
    {
        const string Field = "VmRSS:";
        var line = File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith(Field, StringComparison.Ordinal));
        return long.Parse(line[Field.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture) * 1024;
    }
}
