using Muster.Contracts.Anchors;
using Muster.Domain;
using Muster.Domain.Tenants;

namespace Muster.Gateway.Identity;

/// <summary>
/// Asks each tenant's grain for the anchors that changed: once before the listeners open, then every two seconds. The answer is a null
/// nearly always. Sessions whose anchor is gone are closed by the sweeper.
/// </summary>
internal sealed partial class DeviceTrustRefresh(
    IGrainFactory grains, DeviceTrust trust, TenantDirectory tenants, TimeProvider clock, ILogger<DeviceTrustRefresh> logger)
    : BackgroundService
{
    /// <summary>What an operator changed holds on every gateway this soon; one small call per gateway and tenant.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>Tenants asked for at a time.</summary>
    private const int Parallelism = 16;

    /// <summary>A silo that does not answer at the start is not waited for: nobody is admitted until one does.</summary>
    private static readonly TimeSpan FirstTimeout = TimeSpan.FromSeconds(10);

    private bool _isFailing;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await RefreshAsync(cancellationToken).WaitAsync(FirstTimeout, clock, cancellationToken);
        }
        catch (TimeoutException)
        {
            LogLate(FirstTimeout.TotalSeconds);
        }

        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await RefreshAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private async Task RefreshAsync(CancellationToken cancellationToken)
    {
        var failures = 0;
        var options = new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(tenants.Tenants, options, async (tenant, _) =>
        {
            if (await RefreshAsync(tenant) is { } fault && Interlocked.Increment(ref failures) == 1 && !_isFailing)
            {
                LogFailed(fault, tenant);
            }
        });
        _isFailing = failures > 0;
    }

    /// <summary>Null when the tenant's grain answered.</summary>
    private async Task<Exception?> RefreshAsync(TenantId tenant)
    {
        try
        {
            var known = trust.Known(tenant);
            var changed = await grains.GetAnchorSet(tenant).GetChangedAsync(known.Revision, known.ChangedAt);
            if (trust.Accept(tenant, changed) && changed is not null)
            {
                LogChanged(tenant, changed.Revision, changed.Anchors.Length);
            }

            return null;
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            return fault;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Tenant {Tenant} believes {Anchors} anchors from now on, revision {Revision}")]
    private partial void LogChanged(TenantId tenant, long revision, int anchors);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Tenant {Tenant}: the trust anchors could not be read; asked every two seconds")]
    private partial void LogFailed(Exception fault, TenantId tenant);

    [LoggerMessage(Level = LogLevel.Warning, Message = "No silo told the trust anchors for {Seconds} s: nobody is admitted until one does")]
    private partial void LogLate(double seconds);
}
