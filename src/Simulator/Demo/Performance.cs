using System.Security.Cryptography;

namespace Muster.Simulator.Demo;

/// <summary>A run from its first line to its summary: whatever ends it, the violations are told and the summary is the last line.</summary>
internal sealed class Performance
{
    private readonly bool _isJson;
    private readonly Tally _tally;
    private readonly long _started;
    private readonly TimeProvider _time;

    public Performance(int devices, bool isJson, TimeProvider time)
    {
        (_isJson, _time, _started) = (isJson, time, time.GetTimestamp());
        _tally = new Tally { Devices = devices };
        Stage = Demo.Stage.For(isJson ? Console.Error : Console.Out, !(isJson ? Console.IsErrorRedirected : Console.IsOutputRedirected));
        Findings = new Findings(Stage);
    }

    public IStage Stage { get; }

    public Findings Findings { get; }

    /// <summary>The exit code.</summary>
    public async Task<int> RunAsync(Func<Tally, Task> work)
    {
        try
        {
            await work(_tally);
        }
        catch (DemoFaultException fault)
        {
            Findings.Add(fault.Check, fault.Message);
        }
        catch (OperationCanceledException)
        {
            Findings.Add("run", "it was stopped before its end");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or CryptographicException)
        {
            Findings.Add("run", fault.Message);
        }

        _tally.Seconds = Math.Round(_time.GetElapsedTime(_started).TotalSeconds, 1);
        _tally.Violations = Findings.Violations.Count;
        Stage.Heading(_tally.Violations == 0 ? "Every step was verified through the API." : $"{_tally.Violations} violations:");
        foreach (var violation in Findings.Violations)
        {
            Stage.Tell(violation);
        }

        await Console.Out.WriteLineAsync(_isJson ? _tally.ToJson() : Summary());
        return _tally.Violations == 0 ? 0 : 1;
    }

    private string Summary() =>
        $"""
        {_tally.Devices} devices: {_tally.Enrolled} enrolled, {_tally.Refused} others refused, {_tally.Updated} updated,
        {_tally.BootConfirmed} boot-confirmed, {_tally.Compliant} compliant, {_tally.Configured} configured,
        {_tally.Decommissioned} decommissioned, {_tally.TombstoneRefused} tombstones refused; {_tally.Seconds} s
        """;
}
