using System.Diagnostics;

namespace Muster.Repository.Tests.Chart;

/// <summary>The real helm, of the version that eng/tools pins; installed once for all tests of the chart.</summary>
public sealed class HelmTool : IAsyncLifetime
{
    /// <summary>An installation fetches 14 MB; everything else takes less than a second.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private string _helm = "";

    public static string ChartFolder => Path.Combine(RepositoryFiles.Root, "helm", "muster");

    public async ValueTask InitializeAsync()
    {
        var installed = await RunAsync("sh", [Path.Combine(RepositoryFiles.Root, "eng", "ci", "install-helm.sh")]);
        Assert.True(installed.ExitCode == 0, installed.Error);
        _helm = installed.Output.Trim();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    internal static string ValuesFile(string name) => Path.Combine(ChartFolder, "ci", $"{name}-values.yaml");

    internal Task<HelmRun> TemplateAsync(params string[] arguments) => HelmAsync(["template", "fleet", ChartFolder, .. arguments]);

    internal Task<HelmRun> HelmAsync(params string[] arguments) => RunAsync(_helm, arguments);

    private static async Task<HelmRun> RunAsync(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(patience.Token);
            var error = process.StandardError.ReadToEndAsync(patience.Token);
            await process.WaitForExitAsync(patience.Token);
            return new HelmRun(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }
}

internal sealed record HelmRun(int ExitCode, string Output, string Error);
