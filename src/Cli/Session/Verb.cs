using System.CommandLine;
using Google.Rpc;
using Grpc.Core;
using Muster.Cli.Output;

namespace Muster.Cli.Session;

/// <summary>Runs what a command does and turns what goes wrong into a sentence and an exit code.</summary>
internal static class Verb
{
    /// <summary>A command that talks to the server.</summary>
    public static Command Calls(this Command command, Func<FleetSession, ParseResult, CancellationToken, Task> action) =>
        command.Runs(async (folder, output, parsed, cancellationToken) =>
        {
            using var session = FleetSession.Open(folder, output, parsed.GetValue(VerbOptions.Tenant));
            await action(session, parsed, cancellationToken);
        });

    /// <summary>A command that works on the profile alone.</summary>
    public static Command Runs(this Command command, Func<ProfileFolder, OutputWriter, ParseResult, CancellationToken, Task> action)
    {
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, action, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        ParseResult parsed,
        Func<ProfileFolder, OutputWriter, ParseResult, CancellationToken, Task> action,
        CancellationToken cancellationToken)
    {
        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        try
        {
            var folder = ProfileFolder.Find(parsed.GetValue(VerbOptions.Profile), Environment.GetEnvironmentVariable);
            var writer = new OutputWriter(output, parsed.GetValue(VerbOptions.Output) == VerbOptions.Json);
            await action(folder, writer, parsed, cancellationToken);
            return ExitCodes.Done;
        }
        catch (UsageException usage)
        {
            await error.WriteLineAsync(usage.Message);
            return ExitCodes.Usage;
        }
        catch (DifferenceException difference)
        {
            await error.WriteLineAsync(difference.Message);
            return ExitCodes.Refused;
        }
        catch (RpcException refusal) when (refusal.StatusCode == StatusCode.Cancelled && cancellationToken.IsCancellationRequested)
        {
            // Ctrl+C is how a person ends a watch.
            return ExitCodes.Done;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCodes.Done;
        }
        catch (RpcException refusal)
        {
            await error.WriteLineAsync(Describe(refusal));
            return IsUnreachable(refusal) ? ExitCodes.Unreachable : ExitCodes.Refused;
        }
        catch (Exception local) when (local is IOException or UnauthorizedAccessException)
        {
            // A file of this machine: unreadable, a full disk.
            await error.WriteLineAsync(local.Message);
            return ExitCodes.Usage;
        }
    }

    /// <summary>Nothing that the server said: a call that never got to it, or a server that asks to come back later.</summary>
    private static bool IsUnreachable(RpcException refusal) =>
        refusal.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded
        || refusal.Status.DebugException is HttpRequestException;

    private static string Describe(RpcException refusal)
    {
        var status = refusal.GetRpcStatus();
        if (status?.GetDetail<ErrorInfo>() is not { } details)
        {
            return IsUnreachable(refusal)
                ? $"The server does not answer, or does not accept this profile's certificate: {refusal.Status.Detail}"
                : $"{refusal.StatusCode}: {refusal.Status.Detail}";
        }

        var lines = new List<string> { $"{details.Reason}: {status.Message}" };
        lines.AddRange(status.GetDetail<BadRequest>()?.FieldViolations.Select(field => $"  {field.Field}: {field.Description}") ?? []);
        return string.Join(Environment.NewLine, lines);
    }
}
