using System.Diagnostics;
using System.Text.Json;

namespace Muster.Load.Servers;

/// <summary>The generator as a process of its own: one order in, one outcome out.</summary>
internal static class GeneratorProcess
{
    public static async Task<TOutcome> RunAsync<TOrder, TOutcome>(string verb, TOrder order, string what)
    {
        using var process = Start(verb);
        await process.StandardInput.WriteAsync(JsonSerializer.Serialize(order));
        process.StandardInput.Close();
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 && text.Length > 0
            ? JsonSerializer.Deserialize<TOutcome>(text)!
            : throw new InvalidOperationException($"The generator failed at {what}.");
    }

    public static Process Start(string verb) => Process.Start(
        new ProcessStartInfo("dotnet", [typeof(GeneratorProcess).Assembly.Location, verb])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
}
