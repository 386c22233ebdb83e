using Muster.Artifacts;
using Muster.ServiceDefaults;

namespace Muster.Gateway.Hosting;

/// <summary>A host whose bucket cannot be used does not start: the first to notice would be a camera in the middle of a rollout.</summary>
internal sealed class BucketCheck(IArtifactStore artifacts) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (artifacts is not S3ArtifactStore bucket)
        {
            return;
        }

        try
        {
            await bucket.VerifyAsync(cancellationToken);
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            throw new StartRefusedException(
                $"The bucket of {S3ArtifactOptions.SectionName} cannot be written, listed and read: {fault.Message} "
                + "Look at Endpoint, Bucket, AccessKey and what the key may do.",
                fault);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
